using BuildKit.Docker;
using BuildKit.Transport;

namespace BuildKit.Builders.Drivers;

/// <summary>A client of a Docker Engine together with the way there.</summary>
internal sealed class OpenEngine : IDisposable
{
    private readonly DaemonTransport _transport;

    private OpenEngine(DaemonTransport transport, IReadOnlyDictionary<string, string> headers)
    {
        _transport = transport;
        Client = new DockerEngineClient(transport, headers);
    }

    public DockerEngineClient Client { get; }

    /// <summary>Makes a client, with the headers that this user's docker config demands. Nothing is sent yet.</summary>
    /// <exception cref="BuildKitException">A certificate can't be read.</exception>
    public static async Task<OpenEngine> AtAsync(BuildKitEndpoint endpoint, CancellationToken cancellationToken) =>
        new(await endpoint.CreateTransportAsync(cancellationToken).ConfigureAwait(false), endpoint.HttpHeaders);

    public void Dispose()
    {
        Client.Dispose();
        _transport.Dispose();
    }
}
