using System.Net;
using System.Text.RegularExpressions;

namespace BuildKit.Docker;

/// <summary>What was to be pulled.</summary>
/// <param name="Reference">The image.</param>
/// <param name="Auth">The credentials that the Engine was given.</param>
internal sealed record PullSubject(ImageReference Reference, DockerAuthConfig Auth)
{
    public string Registry => Reference.Registry;
}

/// <summary>One way in which a pull fails.</summary>
/// <param name="IsMatch">Whether the Engine's words mean it.</param>
/// <param name="ErrorId">The stable id.</param>
/// <param name="Category">The kind of trouble.</param>
/// <param name="Advice">What to do next.</param>
internal sealed record PullErrorRow(Func<string, bool> IsMatch, string ErrorId, BuildKitErrorCategory Category, Func<PullSubject, string> Advice);

/// <summary>
/// The errors of an Engine's pull, known by their words, because the HTTP status is 404 or 500 for most and 200 for those that come inside the stream.
/// The words are those of moby (daemon/internal/distribution, daemon/containerd), of containerd's resolver and of distribution's error codes. The first row that matches wins.
/// </summary>
internal static partial class PullErrorTable
{
    public const string DiskFullId = "BuildKit.DaemonDiskFull";
    public const string DiskFullAction =
        "Free disk space where the Docker Engine keeps its data: 'docker system df' shows what is used, 'docker system prune' removes what nothing uses.";

    private static readonly IReadOnlyList<PullErrorRow> Rows =
    [
        new(IsDiskFull, DiskFullId, BuildKitErrorCategory.InputOutput, _ => DiskFullAction),
        new(Plugin().IsMatch, "BuildKit.EngineAccessDenied", BuildKitErrorCategory.PermissionDenied,
            _ => "The Docker Engine itself refuses: its authorization plugin decides what you may do. Ask whoever runs it."),
        new(BadName().IsMatch, "BuildKit.InvalidTag", BuildKitErrorCategory.InvalidArgument,
            _ => "Write the image like registry.example.com/team/app:1.0."),
        new(RateLimit().IsMatch, "BuildKit.RegistryRateLimited", BuildKitErrorCategory.Connection,
            subject => $"Wait, or log in for a higher limit: docker login {subject.Registry}. A mirror ('registry-mirrors' in the Engine's daemon.json) spares Docker Hub."),
        new(PlainHttp().IsMatch, "BuildKit.RegistryNotTls", BuildKitErrorCategory.InvalidArgument,
            subject => $"The registry speaks plain HTTP. Give it a certificate, or have the Engine allow that: \"insecure-registries\": [\"{subject.Registry}\"] in its daemon.json, and restart it."),
        new(Certificate().IsMatch, "BuildKit.RegistryTlsFailed", BuildKitErrorCategory.Connection,
            subject => $"Where an authority of your own signed the registry's certificate, put that authority's certificate into /etc/docker/certs.d/{subject.Registry}/ca.crt on the Engine's machine. "
                + "One that has expired or carries another name must be replaced on the registry."),
        new(NoPlatform().IsMatch, "BuildKit.PlatformNotFound", BuildKitErrorCategory.NotFound,
            _ => "The image does not come for this platform: choose another one, or have it built and pushed for this one."),
        new(DigestTaken().IsMatch, "BuildKit.PlatformNotFound", BuildKitErrorCategory.NotSupported,
            subject => $"The classic image store has one platform of an image by its digest, the first that was pulled. Remove that image (docker rmi {subject.Reference}), or pull by a tag."),
        new(RegistryWords.IsDenied, "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied,
            subject => $"Log in {(subject.Auth.IsEmpty ? "first" : "again")}: docker login {subject.Registry}. Check the name too: registries say the same of a repository that does not exist."),
        new(Damaged().IsMatch, "BuildKit.ImageCorrupt", BuildKitErrorCategory.InputOutput,
            subject => $"The registry lacks a part of the image, or it or a proxy on the way gave other content than the image's manifest promises. "
                + $"Push '{subject.Reference}' again, check the storage of '{subject.Registry}', and pull some seconds later, when the Engine has thrown away what it got."),
        new(Unreachable().IsMatch, "BuildKit.RegistryUnreachable", BuildKitErrorCategory.Connection,
            subject => $"It is the Docker Engine that asks the registry, from its own machine{(IsLoopback(subject.Registry) ? $", and '{subject.Registry}' is that machine itself" : "")}. "
                + "Check that the registry runs and that the Engine's network, proxy and mirrors ('docker info') lead to it."),
        new(ServerError().IsMatch, "BuildKit.RegistryFailed", BuildKitErrorCategory.Connection,
            subject => $"The registry '{subject.Registry}' is in trouble. See its log, and try again later."),
        new(Missing().IsMatch, "BuildKit.ImageNotFoundInRegistry", BuildKitErrorCategory.NotFound,
            subject => $"Check the repository and the {(subject.Reference.Digest is null ? "tag" : "digest")} of '{subject.Reference}'."
                + (subject.Auth.IsEmpty ? $" If the repository is private, log in first: docker login {subject.Registry}" : "")),
    ];

    private static readonly PullErrorRow Other = new(
        _ => true, "BuildKit.ImagePullFailed", BuildKitErrorCategory.InputOutput, _ => "The message is the Docker Engine's own; its log may say more.");

    /// <summary>Whether an Engine's words, of a pull or of anything else that it stores, mean that its disk is full.</summary>
    public static bool IsDiskFull(string message) => DiskFull().IsMatch(message);

    /// <summary>The error of a pull that brought an image for another platform than was asked for.</summary>
    public static DockerApiException OtherPlatform(PullSubject subject, PlatformSpecifier asked, PlatformSpecifier? got) =>
        Create(subject, HttpStatusCode.OK, $"the image{(got is null ? "" : $" is for {got}, and")} does not match the specified platform {asked}", null);

    /// <summary>The error of a failed pull. The credentials are in none of its texts, even where the Engine quotes them.</summary>
    /// <param name="subject">What was to be pulled.</param>
    /// <param name="statusCode">The HTTP status; 200 where the error came inside the stream.</param>
    /// <param name="message">The Engine's own message.</param>
    /// <param name="inner">What it came with.</param>
    public static DockerApiException Create(PullSubject subject, HttpStatusCode statusCode, string message, Exception? inner)
    {
        var words = RegistryWords.OnOneLine(message);
        var shown = subject.Auth.Redact(words);
        // An image may be called denied/eof: its name says nothing.
        var telling = words.Replace(subject.Reference.ToString(), "", StringComparison.Ordinal).Replace(subject.Reference.Repository, "", StringComparison.Ordinal);
        var row = Rows.FirstOrDefault(row => row.IsMatch(telling)) ?? Other;
        return new DockerApiException(
            row.ErrorId, row.Category, statusCode, $"The Docker Engine could not pull '{subject.Reference}': {shown}", row.Advice(subject), shown == words ? inner : null)
        {
            Target = subject.Reference.ToString(),
        };
    }

    private static bool IsLoopback(string registry) =>
        registry.StartsWith("127.", StringComparison.Ordinal) || registry.Split(':')[0] == "localhost";

    [GeneratedRegex("no space left on device|disk quota exceeded")]
    private static partial Regex DiskFull();

    [GeneratedRegex("authorization denied by plugin")]
    private static partial Regex Plugin();

    [GeneratedRegex("invalid reference format|invalid repository name|invalid tag format|repository name must be lowercase|is a reserved name")]
    private static partial Regex BadName();

    [GeneratedRegex("toomanyrequests|429 Too Many Requests|rate limit", RegexOptions.IgnoreCase)]
    private static partial Regex RateLimit();

    [GeneratedRegex("server gave HTTP response to HTTPS client|tls: first record does not look like a TLS handshake")]
    private static partial Regex PlainHttp();

    [GeneratedRegex(@"\bx509: |\btls: ")]
    private static partial Regex Certificate();

    [GeneratedRegex("no matching manifest for|no match for platform in manifest|does not (match|provide) the specified platform")]
    private static partial Regex NoPlatform();

    [GeneratedRegex("cannot overwrite digest", RegexOptions.IgnoreCase)]
    private static partial Regex DigestTaken();

    // A blob that the manifest names and the registry does not have, one of another size, one of another digest.
    [GeneratedRegex("unknown blob|blob unknown|could not fetch content descriptor .* not found|verification failed for digest|unexpected commit (digest|size)|short read: |failed to read expected number of bytes|failed size validation")]
    private static partial Regex Damaged();

    [GeneratedRegex(@"connection refused|connection reset|broken pipe|no such host|server misbehaving|name resolution|i/o timeout|TLS handshake timeout|Client\.Timeout|deadline exceeded|network is unreachable|no route to host|proxyconnect|\bEOF\b")]
    private static partial Regex Unreachable();

    [GeneratedRegex(@"unexpected (HTTP )?status.*: 5\d\d|\b5\d\d (Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)|download failed after attempts=")]
    private static partial Regex ServerError();

    [GeneratedRegex("not found|manifest unknown|name unknown|does not exist", RegexOptions.IgnoreCase)]
    private static partial Regex Missing();
}
