namespace BuildKit.Docker;

/// <summary>Has an Engine pull an image, and believes it only what it proves.</summary>
internal static class ImagePull
{
    /// <summary>Pulls an image, or takes a local one where the policy says so, and looks at what the Engine then has.</summary>
    /// <param name="engine">The Engine.</param>
    /// <param name="reference">The image's name, with a tag or digest or without.</param>
    /// <param name="platform">The platform to pull, such as <c>linux/arm64</c>; null for the Engine's own.</param>
    /// <param name="policy">Whether the registry is asked.</param>
    /// <param name="config">Where the registry's credentials are.</param>
    /// <param name="progress">Is told of every layer, in order; or null.</param>
    /// <param name="cancellationToken">Ends the pull on the Engine too.</param>
    /// <returns>The image as the Engine has it.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.ImagePullFailed</c>, <c>BuildKit.RegistryDenied</c>, <c>BuildKit.ImageNotFound</c>, or the connection to the Engine broke.</exception>
    public static Task<ImagePullResult> RunAsync(
        DockerEngineClient engine, string reference, string? platform, ImagePullPolicy policy, DockerConfigFile config, IProgress<ImagePullEvent>? progress,
        CancellationToken cancellationToken) => throw new NotImplementedException();
}
