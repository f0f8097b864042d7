using System.Text.RegularExpressions;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve;

/// <summary>One kind of failure that the daemon reports in words.</summary>
/// <param name="Pattern">What its message looks like.</param>
/// <param name="ErrorId">The stable id.</param>
/// <param name="Category">The kind of trouble.</param>
/// <param name="RecommendedAction">What to do next.</param>
internal sealed record SolveErrorRow(Regex Pattern, string ErrorId, BuildKitErrorCategory Category, string RecommendedAction)
{
    /// <summary>What to do next on this kind of daemon, where that makes a difference: told the match; null for nothing to add.</summary>
    public Func<Match, DaemonStore, string?>? Advice { get; init; }

    /// <summary>What to do next about a message of a daemon.</summary>
    public string ActionFor(string message, DaemonStore daemon) =>
        Advice?.Invoke(Pattern.Match(message), daemon) is { } advice ? $"{RecommendedAction} {advice}" : RecommendedAction;
}

/// <summary>The daemon's own errors, known by their words: it sends most of them with the code UNKNOWN. The first row that matches wins.</summary>
internal static partial class SolveErrorTable
{
    public static IReadOnlyList<SolveErrorRow> Rows { get; } =
    [
        new(StepFailed(), "BuildKit.SolveFailed", BuildKitErrorCategory.BuildFailed,
            "Read the step's last lines; -Progress Plain shows its whole output."),
        new(ContextsUnknown(), "BuildKit.BuildContextsNotSupported", BuildKitErrorCategory.NotSupported,
            "Build contexts with names came with Docker Engine 23 and BuildKit 0.10; a newer frontend brings them too: begin the Dockerfile with a line like '# syntax=docker/dockerfile:1'."),
        new(CapabilityUnknown(), "BuildKit.FrontendCapabilityMissing", BuildKitErrorCategory.NotSupported,
            "This daemon's frontend is too old for an option of this build, such as a query in a git address. A newer one can be had: begin the Dockerfile with a line like '# syntax=docker/dockerfile:1'."),
        new(ExporterMissing(), "BuildKit.ExporterNotFound", BuildKitErrorCategory.NotSupported, "Choose another -Output.")
        { Advice = ExporterAdvice.ForMissing },
        new(EntitlementMissing(), "BuildKit.EntitlementNotAllowed", BuildKitErrorCategory.PermissionDenied,
            "Grant it with -Allow. The daemon must allow it too: buildkitd --allow-insecure-entitlement NAME, or builder.entitlements in the Engine's daemon.json."),
        new(IndexAnnotation(), "BuildKit.IndexAnnotationNotSupported", BuildKitErrorCategory.NotSupported,
            "An image for one platform without attestations has no index. Annotate the manifest, or make an index with -Provenance $true or several platforms."),
        new(TargetMissing(), "BuildKit.TargetNotFound", BuildKitErrorCategory.NotFound,
            "Name a stage of the Dockerfile with -Target, or leave it out for the last one."),
        new(Syntax(), "BuildKit.DockerfileSyntax", BuildKitErrorCategory.InvalidArgument, "Correct the marked lines of the Dockerfile."),
        new(CheckFailed(), "BuildKit.DockerfileCheckFailed", BuildKitErrorCategory.BuildFailed,
            "The Dockerfile demands it with '# check=error=true'. Test-Dockerfile shows the places; '# check=skip=RULE;error=true' leaves a rule out."),
        new(DockerfileMissing(), "BuildKit.DockerfileNotFound", BuildKitErrorCategory.NotFound,
            "Name the Dockerfile with -Dockerfile, and check that .dockerignore does not exclude it."),
        new(FileMissing(), "BuildKit.FileNotInContext", BuildKitErrorCategory.NotFound,
            "Check the path: it is relative to the context, and .dockerignore may exclude it."),
        new(SecretMissing(), "BuildKit.SecretNotFound", BuildKitErrorCategory.NotFound,
            "Give the build the secret that the step requires: -Secret id=ID,src=PATH, id=ID,env=VARIABLE, or @{ id = 'ID'; value = (Read-Host -AsSecureString) }."),
        new(SshMissing(), "BuildKit.SshNotForwarded", BuildKitErrorCategory.NotFound,
            "Give the build the agent or the keys that the step requires: -Ssh default for your own agent, -Ssh ID=PATH for another id, socket or key file."),
        new(ManifestList(), "BuildKit.ManifestListNotSupported", BuildKitErrorCategory.NotSupported,
            "Use type=oci in place of type=docker, or build for one platform without attestations."),
        new(OptionsConflict(), "BuildKit.OutputOptionsConflict", BuildKitErrorCategory.InvalidArgument, "Two attributes of the -Output can't be had together.")
        { Advice = ExporterAdvice.ForConflict },
        new(AttributeValue(), "BuildKit.OutputAttributeInvalid", BuildKitErrorCategory.InvalidArgument, "Correct the attribute of the -Output.")
        { Advice = ExporterAdvice.ForValue },
        new(TaggedDigest(), "BuildKit.PushByDigestTakesNoTag", BuildKitErrorCategory.InvalidArgument, "Name the image without a tag, or leave out push-by-digest."),
        new(FilesCollide(), "BuildKit.OutputFilesCollide", BuildKitErrorCategory.InvalidArgument,
            "Leave out platform-split=false, so that every platform gets a directory of its own, or give the files different names."),
        new(CacheMissing(), "BuildKit.CacheNotSupported", BuildKitErrorCategory.NotSupported, "This daemon has no such cache.")
        { Advice = ExporterAdvice.ForCache },
        new(PlatformMissing(), "BuildKit.PlatformNotFound", BuildKitErrorCategory.NotFound,
            "The base image has no variant for this platform; choose another -Platform or another base image."),
        new(MultiPlatform(), "BuildKit.MultiPlatformNotSupported", BuildKitErrorCategory.NotSupported,
            "Name one platform.")
        { Advice = ExporterAdvice.ForPlatforms },
        new(RegistryDenied(), "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied,
            "Log in to the registry (docker login), or check that the account may read or write this repository."),
        new(PlainHttp(), "BuildKit.RegistryNotTls", BuildKitErrorCategory.InvalidArgument, "The registry speaks plain HTTP.")
        { Advice = ExporterAdvice.ForPlainHttp },
        new(PushFailed(), "BuildKit.PushFailed", BuildKitErrorCategory.Connection, "Check the image's name, and that the daemon reaches its registry."),
        new(ImageMissing(), "BuildKit.BaseImageNotFound", BuildKitErrorCategory.NotFound,
            "Check the image's name and tag, and that the daemon reaches its registry."),
        new(DiskFull(), "BuildKit.DaemonDiskFull", BuildKitErrorCategory.InputOutput, "Free disk space where the daemon keeps its data."),
    ];

    /// <summary>What an error that no row knows becomes.</summary>
    public static SolveErrorRow Other { get; } = new(StepFailed(), "BuildKit.SolveFailed", BuildKitErrorCategory.BuildFailed,
        "The message is the daemon's own; its log may say more.");

    /// <summary>What a step becomes whose log says that the kernel can't run its program; the daemon's message has the exit code alone.</summary>
    public static SolveErrorRow NotEmulated { get; } = new(ExecFormat(), "BuildKit.PlatformNotEmulated", BuildKitErrorCategory.NotSupported,
        "The step's program is made for another processor. Get-BuildKitWorker shows the platforms this builder runs; more come with emulators "
        + "(docker run --privileged --rm tonistiigi/binfmt --install all), with a builder of that platform, or by cross-compiling in a stage "
        + "FROM --platform=$BUILDPLATFORM. A script without its #! line ends like this too.");

    public static SolveErrorRow Find(string message, IReadOnlyList<string> logs) =>
        StepFailed().IsMatch(message) && logs.Any(NotEmulated.Pattern.IsMatch) ? NotEmulated : Find(message);

    public static SolveErrorRow Find(string message) => Rows.FirstOrDefault(row => row.Pattern.IsMatch(message)) ?? Other;

    [GeneratedRegex(@"process ""[\s\S]*"" did not complete successfully|executor failed running")]
    private static partial Regex StepFailed();

    [GeneratedRegex(@"unsupported frontend capability moby\.buildkit\.frontend\.contexts")]
    private static partial Regex ContextsUnknown();

    [GeneratedRegex("unsupported frontend capability ")]
    private static partial Regex CapabilityUnknown();

    // Of runc before 1.1, and since.
    [GeneratedRegex("exec user process caused.*: exec format error$|^exec \\S+: exec format error$")]
    private static partial Regex ExecFormat();

    [GeneratedRegex("granting entitlement \\S+ is not allowed|(network\\.host|security\\.insecure) is not allowed|device .* requested by the build but not allowed")]
    private static partial Regex EntitlementMissing();

    [GeneratedRegex("index annotations not supported for single platform export")]
    private static partial Regex IndexAnnotation();

    [GeneratedRegex("exporter \"(?<exporter>[^\"]*)\" could not be found")]
    private static partial Regex ExporterMissing();

    [GeneratedRegex("target stage \"?[^ ]*\"? could not be found|failed to reach build target|no build stage in current context")]
    private static partial Regex TargetMissing();

    [GeneratedRegex("dockerfile parse error|failed to parse (stage name|platform)|unknown instruction|failed to process \"|Unknown flag: |the --mount option requires BuildKit", RegexOptions.IgnoreCase)]
    private static partial Regex Syntax();

    [GeneratedRegex("lint violation found for rules: ")]
    private static partial Regex CheckFailed();

    [GeneratedRegex("failed to read dockerfile: open |cannot locate specified Dockerfile|the Dockerfile .* cannot be empty", RegexOptions.IgnoreCase)]
    private static partial Regex DockerfileMissing();

    [GeneratedRegex("failed to (compute|calculate) (cache key|checksum).*(not found|no such file)", RegexOptions.Singleline)]
    private static partial Regex FileMissing();

    [GeneratedRegex("secret \"?[^\":\n]+\"?:? not found")]
    private static partial Regex SecretMissing();

    [GeneratedRegex("unset ssh forward key|[Nn]o SSH key \"?[^\" ]*\"? forwarded")]
    private static partial Regex SshMissing();

    [GeneratedRegex("does not (currently )?support exporting manifest lists")]
    private static partial Regex ManifestList();

    [GeneratedRegex("exporter option \"(?<option>[^\"=]*)[^\"]*\" conflicts with \"(?<other>[^\"=]*)")]
    private static partial Regex OptionsConflict();

    [GeneratedRegex("non-(bool|integer) value .*for (?<attribute>[\\w.-]+)|unsupported (layer )?(?<attribute>compression) type|invalid local exporter (?<attribute>mode)")]
    private static partial Regex AttributeValue();

    [GeneratedRegex("can't push tagged ref .* by digest")]
    private static partial Regex TaggedDigest();

    [GeneratedRegex("cannot overwrite .* when split option is disabled")]
    private static partial Regex FilesCollide();

    [GeneratedRegex("unknown cache (exporter|importer): \"?(?<cache>[\\w-]*)")]
    private static partial Regex CacheMissing();

    [GeneratedRegex("server gave HTTP response to HTTPS client")]
    private static partial Regex PlainHttp();

    [GeneratedRegex("failed to push ")]
    private static partial Regex PushFailed();

    [GeneratedRegex("no match for platform in manifest")]
    private static partial Regex PlatformMissing();

    [GeneratedRegex("(multiple platforms|multi-platform).*not (currently )?supported|exporting multiple references to image store is currently unsupported")]
    private static partial Regex MultiPlatform();

    [GeneratedRegex("401 Unauthorized|403 Forbidden|insufficient_scope|no basic auth credentials|authorization failed|pull access denied|push access denied", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryDenied();

    [GeneratedRegex("failed to resolve source metadata|failed to load metadata|failed to resolve reference|failed to do request|manifest unknown|failed to authorize", RegexOptions.IgnoreCase)]
    private static partial Regex ImageMissing();

    [GeneratedRegex("no space left on device")]
    private static partial Regex DiskFull();
}
