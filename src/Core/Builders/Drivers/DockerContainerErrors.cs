using System.Net;
using BuildKit.Docker;

namespace BuildKit.Builders.Drivers;

/// <summary>Why the container of a node does not run, as <c>BuildKit.BuilderBootFailed</c>.</summary>
internal static class DockerContainerErrors
{
    /// <param name="node">The node.</param>
    /// <param name="what">What is the matter with its container: the sentence goes on with it.</param>
    /// <param name="action">What to do about it.</param>
    /// <param name="inner">What it was caused by, or null.</param>
    /// <param name="category">The kind of trouble.</param>
    public static BuildKitException BootFailed(
        BuilderNode node, string what, string action, Exception? inner = null, BuildKitErrorCategory category = BuildKitErrorCategory.Connection)
    {
        var message = $"The builder '{node.BuilderName}' can't be booted: its container '{DockerContainerSpec.ContainerName(node.Node)}' {what}";
        return new BuildKitException("BuildKit.BuilderBootFailed", category, message, action, inner) { Target = node.BuilderName };
    }

    /// <summary>The Engine does not make or start the container.</summary>
    public static BuildKitException Refused(BuilderNode node, DockerApiException exception) => BootFailed(
        node, $"is refused by the Docker Engine: {exception.Message}",
        exception.StatusCode == HttpStatusCode.NotFound && exception.Message.Contains("network", StringComparison.Ordinal)
            ? "Create the network on the builder's Docker Engine, or create the builder with another driver option 'network'."
            : "Correct the builder's driver options, or look into the Docker Engine's log.",
        exception, exception.Category);

    /// <summary>The container ended.</summary>
    public static BuildKitException Ended(BuilderNode node, int exitCode, bool wasOutOfMemory, string log) => BootFailed(
        node,
        $"ended with exit code {exitCode} before its daemon answered{(wasOutOfMemory ? ", having used up its memory" : string.Empty)}.{Tail(log)}",
        wasOutOfMemory
            ? "Give it more by the driver option 'memory'."
            : "Correct the builder's buildkitd flags, config file or image.");

    /// <summary>The container runs, but its daemon says nothing.</summary>
    public static BuildKitException Silent(BuilderNode node, TimeSpan limit, BuildKitException failure, string log) => BootFailed(
        node, $"runs, but its daemon did not answer within {limit.TotalSeconds:0} s. {failure.Message}{Tail(log)}", "Check that the image runs a buildkitd.", failure);

    /// <summary>The image lacks the program by which the daemon is reached.</summary>
    public static BuildKitException NoBuildctl(BuilderNode node, BuildKitException failure) => BootFailed(
        node, $"holds no buildctl, by which its daemon is reached. {failure.Message}", "Name an image of BuildKit by the driver option 'image'.", failure);

    private static string Tail(string log) => log.Length > 0 ? $" Its log ends:\n{log}" : " Its log is empty.";
}
