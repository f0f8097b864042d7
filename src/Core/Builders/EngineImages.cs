using BuildKit.Docker;

namespace BuildKit.Builders;

/// <summary>The images of a Docker Engine that a connection leads to.</summary>
public static class EngineImages
{
    /// <summary>
    /// Has the Engine pull an image, with the registry's credentials of this user's docker config. The whole of the Engine's answer is read, an error in it is an error here, and what the
    /// Engine then has under the name is looked at: the digest is the registry's.
    /// </summary>
    /// <param name="connection">A connection to a Docker Engine.</param>
    /// <param name="reference">The image's name, with a tag, a digest, both, or neither for <c>:latest</c>.</param>
    /// <param name="platform">The platform, such as <c>linux/arm64</c>; null for the Engine's own. An image of another one is an error.</param>
    /// <param name="policy">Whether the registry is asked.</param>
    /// <param name="progress">Is told of the layers as they come; or null.</param>
    /// <param name="cancellationToken">Ends the pull on the Engine too.</param>
    /// <returns>The image as the Engine has it.</returns>
    /// <exception cref="BuildKitException">
    /// <c>BuildKit.EngineRequired</c> where a buildkitd answers. <c>BuildKit.InvalidTag</c>, <c>BuildKit.ImageNotFoundInRegistry</c>, <c>BuildKit.RegistryDenied</c>,
    /// <c>BuildKit.RegistryUnreachable</c>, <c>BuildKit.RegistryNotTls</c>, <c>BuildKit.RegistryTlsFailed</c>, <c>BuildKit.RegistryRateLimited</c>, <c>BuildKit.RegistryFailed</c>,
    /// <c>BuildKit.ImageCorrupt</c>, <c>BuildKit.PlatformNotFound</c>, <c>BuildKit.DaemonDiskFull</c>, <c>BuildKit.ImagePullFailed</c> with the Engine's words;
    /// <c>BuildKit.ImageNotFound</c> where the registry was not to be asked; or the connection broke.
    /// </exception>
    public static async Task<ImagePullResult> PullImageAsync(
        this BuildKitConnection connection, string reference, string? platform = null, ImagePullPolicy policy = ImagePullPolicy.Always,
        IProgress<ImagePullEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(reference);
        var engine = connection.Engine ?? throw new BuildKitException(
            "BuildKit.EngineRequired", BuildKitErrorCategory.NotSupported,
            $"'{connection.Name}' can't pull '{reference}': a standalone buildkitd answers there, which has no images of its own.",
            "Name a Docker Engine. A build on a buildkitd pulls what it needs by itself.")
        { Target = connection.Name };
        var config = await DockerConfigFile.LoadAsync(cancellationToken).ConfigureAwait(false);
        return await ImagePull.RunAsync(engine, reference, platform, policy, config, progress, cancellationToken).ConfigureAwait(false);
    }
}
