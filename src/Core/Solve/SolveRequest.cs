using System.Text.RegularExpressions;
using BuildKit.Builders;

namespace BuildKit.Solve;

/// <summary>A build of a Dockerfile, as a person would ask for it. Nothing in it depends on the kind of daemon.</summary>
public sealed partial record SolveRequest
{
    /// <summary>
    /// The build context: the absolute path of a directory, a git or http URL that the daemon fetches, or null for none (a Dockerfile that copies nothing).
    /// </summary>
    public string? Context { get; init; }

    /// <summary>
    /// The Dockerfile: an absolute path, an http address, or with a URL or an archive as context a path within it. Null means <c>Dockerfile</c> in the context. Ignored where <see cref="DockerfileText"/> is set.
    /// </summary>
    public string? Dockerfile { get; init; }

    /// <summary>The text of the Dockerfile itself, or null.</summary>
    public string? DockerfileText { get; init; }

    /// <summary>
    /// A tar archive, plain or compressed with gzip, bzip2 or xz, that stands for the context in place of <see cref="Context"/>; or the text of a Dockerfile that needs
    /// no context; null for none. It is read once, as the daemon takes it, and left open.
    /// </summary>
    public Stream? ContextArchive { get; init; }

    /// <summary>
    /// Further contexts by name: an absolute path of a directory, <c>docker-image://…</c>, <c>oci-layout://PATH[:TAG][@DIGEST]</c> with an absolute path, or a git or http URL.
    /// </summary>
    public IReadOnlyDictionary<string, string> BuildContexts { get; init; } = new Dictionary<string, string>();

    /// <summary>The image of a frontend to build with in place of the daemon's own for Dockerfiles, such as <c>docker/dockerfile:1</c>; null for the daemon's own.</summary>
    public string? Frontend { get; init; }

    /// <summary>Options for the frontend, as they go over the wire; they win over what this request's other members make of them.</summary>
    public IReadOnlyDictionary<string, string> FrontendOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>The stage to build; null for the last.</summary>
    public string? Target { get; init; }

    /// <summary>Values of <c>ARG</c>s.</summary>
    public IReadOnlyDictionary<string, string> BuildArgs { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of the image, such as <c>app:1</c>.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Labels of the image.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Annotations as docker writes them: <c>[TYPE[,TYPE][PLATFORM]:]KEY=VALUE</c>, with <c>manifest</c>, <c>index</c>, <c>manifest-descriptor</c> and <c>index-descriptor</c> as types.</summary>
    public IReadOnlyList<string> Annotations { get; init; } = [];

    /// <summary>Platforms such as <c>linux/arm64</c>; none means the daemon's own.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>Whether cached results are not to be used.</summary>
    public bool NoCache { get; init; }

    /// <summary>Stages whose cached results are not to be used.</summary>
    public IReadOnlyList<string> NoCacheFilter { get; init; } = [];

    /// <summary>Whether base images are looked up in their registry even where they are present.</summary>
    public bool Pull { get; init; }

    /// <summary>Where the result goes. None means the daemon's default: an Engine's own image store, the cache alone for buildkitd.</summary>
    public IReadOnlyList<SolveOutput> Outputs { get; init; } = [];

    /// <summary>Whether the result is put into an Engine's image store as well (<c>docker buildx build --load</c>).</summary>
    public bool Load { get; init; }

    /// <summary>Whether the image is pushed to its registry as well (<c>docker buildx build --push</c>).</summary>
    public bool Push { get; init; }

    /// <summary>The Engine that images are loaded into where the builder has no store of Docker's; null for the docker config's current context.</summary>
    public BuildKitConnection? LoadInto { get; init; }

    /// <summary>Where cached results are looked for.</summary>
    public IReadOnlyList<SolveCache> CacheFrom { get; init; } = [];

    /// <summary>Where cached results are written to.</summary>
    public IReadOnlyList<SolveCache> CacheTo { get; init; } = [];

    /// <summary>Secrets that steps may mount.</summary>
    public IReadOnlyList<SolveSecret> Secrets { get; init; } = [];

    /// <summary>SSH agents and keys that steps may use.</summary>
    public IReadOnlyList<SolveSsh> Ssh { get; init; } = [];

    /// <summary>Attestations of the result; none means the default: minimal provenance where the daemon can attach it.</summary>
    public IReadOnlyList<SolveAttestation> Attestations { get; init; } = [];

    /// <summary>Entitlements granted to the build: <c>network.host</c>, <c>security.insecure</c>, <c>device[=NAME]</c>.</summary>
    public IReadOnlyList<string> Entitlements { get; init; } = [];

    /// <summary>The network of <c>RUN</c> steps: <c>default</c>, <c>none</c> or <c>host</c>; null for <c>default</c>.</summary>
    public string? Network { get; init; }

    /// <summary>Further names for hosts, <c>NAME:ADDRESS</c> or <c>NAME=ADDRESS</c>; the address may be <c>host-gateway</c>.</summary>
    public IReadOnlyList<string> AddHosts { get; init; } = [];

    /// <summary>The size of <c>/dev/shm</c> in steps, in bytes; null for the daemon's default.</summary>
    public long? ShmSize { get; init; }

    /// <summary>Resource limits of steps, as docker writes them: <c>nofile=1024:2048</c>.</summary>
    public IReadOnlyList<string> Ulimits { get; init; } = [];

    /// <summary>The parent cgroup of steps; null for the daemon's.</summary>
    public string? CgroupParent { get; init; }

    /// <summary>The time that stands in the image for the time of the build, in whole seconds since 1970-01-01 UTC or <c>context</c>; null for <c>$SOURCE_DATE_EPOCH</c>, or else none.</summary>
    public string? SourceDateEpoch { get; init; }

    /// <summary>
    /// The absolute path of a source policy (moby/buildkit sourcepolicy/pb), as JSON or as protobuf; null for the file that <c>$EXPERIMENTAL_BUILDKIT_SOURCE_POLICY</c> names, or else none.
    /// </summary>
    public string? SourcePolicyFile { get; init; }

    /// <summary>A file that gets the build's metadata as JSON, in the form of <c>docker buildx build --metadata-file</c>: an absolute path; null for none.</summary>
    public string? MetadataFile { get; init; }

    /// <summary>A file that gets the image's id, and is removed before the build: an absolute path; null for none.</summary>
    public string? ImageIdFile { get; init; }

    /// <summary>The build's reference on the daemon; null for a new one.</summary>
    public string? Ref { get; init; }

    /// <summary>Whether this is what one of several nodes does of a build.</summary>
    internal bool IsPart { get; init; }

    /// <summary>
    /// Whether the daemon would fetch a context: http, git and ssh addresses, <c>user@host:path</c>, and <c>github.com/…</c> without a scheme (moby/buildkit frontend/dockerui).
    /// </summary>
    /// <param name="context">What stands for the context.</param>
    /// <returns>False for a path on this side.</returns>
    public static bool IsRemoteContext(string context) => RemoteContext().IsMatch(context);

    [GeneratedRegex(@"^(https?|git|ssh)://|^github\.com/|^[\w.-]+@[\w.-]+:", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex RemoteContext();
}
