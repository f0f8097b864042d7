using System.Text.RegularExpressions;

namespace BuildKit.Solve;

/// <summary>A build of a Dockerfile, as a person would ask for it. Nothing in it depends on the kind of daemon.</summary>
public sealed partial record SolveRequest
{
    /// <summary>
    /// The build context: the absolute path of a directory, a git or http URL that the daemon fetches, or null for none (a Dockerfile that copies nothing).
    /// </summary>
    public string? Context { get; init; }

    /// <summary>
    /// The Dockerfile: an absolute path, or with a URL as context a path within it. Null means <c>Dockerfile</c> in the context. Ignored where <see cref="DockerfileText"/> is set.
    /// </summary>
    public string? Dockerfile { get; init; }

    /// <summary>The text of the Dockerfile itself, or null.</summary>
    public string? DockerfileText { get; init; }

    /// <summary>The stage to build; null for the last.</summary>
    public string? Target { get; init; }

    /// <summary>Values of <c>ARG</c>s.</summary>
    public IReadOnlyDictionary<string, string> BuildArgs { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of the image, such as <c>app:1</c>.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Labels of the image.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Platforms such as <c>linux/arm64</c>; none means the daemon's own.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>Whether cached results are not to be used.</summary>
    public bool NoCache { get; init; }

    /// <summary>Whether base images are looked up in their registry even where they are present.</summary>
    public bool Pull { get; init; }

    /// <summary>Where the result goes. None means the daemon's default: an Engine's own image store, the cache alone for buildkitd.</summary>
    public IReadOnlyList<SolveOutput> Outputs { get; init; } = [];

    /// <summary>Whether the result is put into an Engine's image store as well (<c>docker buildx build --load</c>).</summary>
    public bool Load { get; init; }

    /// <summary>The build's reference on the daemon; null for a new one.</summary>
    public string? Ref { get; init; }

    /// <summary>
    /// Whether the daemon would fetch a context: http, git and ssh addresses, <c>user@host:path</c>, and <c>github.com/…</c> without a scheme (moby/buildkit frontend/dockerui).
    /// </summary>
    /// <param name="context">What stands for the context.</param>
    /// <returns>False for a path on this side.</returns>
    public static bool IsRemoteContext(string context) => RemoteContext().IsMatch(context);

    [GeneratedRegex(@"^(https?|git|ssh)://|^github\.com/|^[\w.-]+@[\w.-]+:", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex RemoteContext();
}

/// <summary>One output, as <c>docker buildx build --output</c> names it.</summary>
public sealed record SolveOutput
{
    /// <summary>The exporter in the user's words: <c>image</c>, <c>docker</c>, <c>oci</c>, <c>local</c>, <c>tar</c>, <c>registry</c>, <c>cacheonly</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The absolute path of the directory or file on this side, or null where the daemon keeps the result.</summary>
    public string? Destination { get; init; }

    /// <summary>The exporter's further attributes, such as <c>name</c> or <c>push</c>.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}
