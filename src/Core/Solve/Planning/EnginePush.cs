using BuildKit.Builders;
using BuildKit.Docker;

namespace BuildKit.Solve.Planning;

/// <summary>
/// Has an Engine with the classic store push what it built, name by name: its own exporter can't, unlike that of the containerd store (docker/buildx build/build.go, pushWithMoby).
/// </summary>
/// <param name="references">The image's names.</param>
/// <param name="config">Where the registries' credentials are.</param>
internal sealed class EnginePush(IReadOnlyList<string> references, DockerConfigFile config) : IAfterSolve
{
    // moby/buildkit exporter/containerimage/exptypes.
    private const string ImageDigestKey = "containerimage.digest";
    private const string ConfigDigestKey = "containerimage.config.digest";

    private readonly List<string> _names = references.Select(ImageReference.Normalize).ToList();

    /// <inheritdoc/>
    /// <remarks>The digest of the manifest in the registry takes the place of the image's digest in the response, which is the config's on such an Engine.</remarks>
    public async Task RunAsync(BuildKitConnection connection, IDictionary<string, string> response, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        using var credentials = new CredentialStore(config);
        string? digest = null;
        foreach (var name in _names)
        {
            var auth = await credentials.GetAsync(ImageReference.Host(name), cancellationToken).ConfigureAwait(false);
            var pushed = await PushAsync(connection.Engine!, name, auth, events, cancellationToken).ConfigureAwait(false);
            digest ??= pushed;
        }
        if (digest is null)
            return;
        if (!response.ContainsKey(ConfigDigestKey) && response.TryGetValue(ImageDigestKey, out var configDigest))
            response[ConfigDigestKey] = configDigest;
        response[ImageDigestKey] = digest;
    }

    private static async Task<string> PushAsync(
        DockerEngineClient engine, string name, DockerAuthConfig auth, IProgress<SolveEvent>? events, CancellationToken cancellationToken)
    {
        var progress = new EnginePushProgress(name, events);
        try
        {
            var digest = await engine.Images.PushImageAsync(name, auth, progress, cancellationToken).ConfigureAwait(false);
            progress.Complete(null);
            return digest;
        }
        catch (Exception exception)
        {
            progress.Complete(exception is OperationCanceledException ? "context canceled" : exception.Message);
            throw;
        }
    }
}
