using System.Text.RegularExpressions;

namespace BuildKit.Solve;

/// <summary>One kind of failure that the daemon reports in words.</summary>
/// <param name="Pattern">What its message looks like.</param>
/// <param name="ErrorId">The stable id.</param>
/// <param name="Category">The kind of trouble.</param>
/// <param name="RecommendedAction">What to do next.</param>
internal sealed record SolveErrorRow(Regex Pattern, string ErrorId, BuildKitErrorCategory Category, string RecommendedAction);

/// <summary>The daemon's own errors, known by their words: it sends most of them with the code UNKNOWN. The first row that matches wins.</summary>
internal static partial class SolveErrorTable
{
    public static IReadOnlyList<SolveErrorRow> Rows { get; } =
    [
        new(StepFailed(), "BuildKit.SolveFailed", BuildKitErrorCategory.BuildFailed,
            "Read the step's last lines; -Progress Plain shows its whole output."),
        new(ExporterMissing(), "BuildKit.ExporterNotFound", BuildKitErrorCategory.NotSupported,
            "This daemon has no such exporter. Get-BuildKitServer shows what it is; choose another -Output."),
        new(TargetMissing(), "BuildKit.TargetNotFound", BuildKitErrorCategory.NotFound,
            "Name a stage of the Dockerfile with -Target, or leave it out for the last one."),
        new(Syntax(), "BuildKit.DockerfileSyntax", BuildKitErrorCategory.InvalidArgument, "Correct the marked lines of the Dockerfile."),
        new(DockerfileMissing(), "BuildKit.DockerfileNotFound", BuildKitErrorCategory.NotFound,
            "Name the Dockerfile with -Dockerfile, and check that .dockerignore does not exclude it."),
        new(FileMissing(), "BuildKit.FileNotInContext", BuildKitErrorCategory.NotFound,
            "Check the path: it is relative to the context, and .dockerignore may exclude it."),
        new(PlatformMissing(), "BuildKit.PlatformNotFound", BuildKitErrorCategory.NotFound,
            "The base image has no variant for this platform; choose another -Platform or another base image."),
        new(MultiPlatform(), "BuildKit.MultiPlatformNotSupported", BuildKitErrorCategory.NotSupported,
            "Switch the Engine to the containerd image store, or build with a standalone buildkitd."),
        new(RegistryDenied(), "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied,
            "Log in to the registry (docker login), or check that the account may read or write this repository."),
        new(ImageMissing(), "BuildKit.BaseImageNotFound", BuildKitErrorCategory.NotFound,
            "Check the image's name and tag, and that the daemon reaches its registry."),
        new(DiskFull(), "BuildKit.DaemonDiskFull", BuildKitErrorCategory.InputOutput, "Free disk space where the daemon keeps its data."),
    ];

    /// <summary>What an error that no row knows becomes.</summary>
    public static SolveErrorRow Other { get; } = new(StepFailed(), "BuildKit.SolveFailed", BuildKitErrorCategory.BuildFailed,
        "The message is the daemon's own; its log may say more.");

    public static SolveErrorRow Find(string message) => Rows.FirstOrDefault(row => row.Pattern.IsMatch(message)) ?? Other;

    [GeneratedRegex(@"process ""[\s\S]*"" did not complete successfully|executor failed running")]
    private static partial Regex StepFailed();

    [GeneratedRegex("exporter \"[^\"]*\" could not be found")]
    private static partial Regex ExporterMissing();

    [GeneratedRegex("target stage \"?[^ ]*\"? could not be found|failed to reach build target|no build stage in current context")]
    private static partial Regex TargetMissing();

    [GeneratedRegex("dockerfile parse error|failed to parse (stage name|platform)|unknown instruction|failed to process \"|Unknown flag: |the --mount option requires BuildKit", RegexOptions.IgnoreCase)]
    private static partial Regex Syntax();

    [GeneratedRegex("failed to read dockerfile: open |cannot locate specified Dockerfile|the Dockerfile .* cannot be empty", RegexOptions.IgnoreCase)]
    private static partial Regex DockerfileMissing();

    [GeneratedRegex("failed to (compute|calculate) (cache key|checksum).*(not found|no such file)", RegexOptions.Singleline)]
    private static partial Regex FileMissing();

    [GeneratedRegex("no match for platform in manifest")]
    private static partial Regex PlatformMissing();

    [GeneratedRegex("(multiple platforms|multi-platform).*not (currently )?supported|does not currently support exporting manifest lists")]
    private static partial Regex MultiPlatform();

    [GeneratedRegex("401 Unauthorized|403 Forbidden|insufficient_scope|no basic auth credentials|authorization failed|pull access denied|push access denied", RegexOptions.IgnoreCase)]
    private static partial Regex RegistryDenied();

    [GeneratedRegex("failed to resolve source metadata|failed to load metadata|failed to resolve reference|failed to do request|manifest unknown|failed to authorize", RegexOptions.IgnoreCase)]
    private static partial Regex ImageMissing();

    [GeneratedRegex("no space left on device")]
    private static partial Regex DiskFull();
}
