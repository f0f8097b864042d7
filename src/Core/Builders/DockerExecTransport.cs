using System.Collections.Concurrent;
using BuildKit.Docker;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>
/// Reaches the buildkitd in a container of a Docker Engine: <c>buildctl dial-stdio</c> in it connects its standard input and output to the daemon's socket
/// (docker/buildx driver/docker-container).
/// </summary>
internal sealed class DockerExecTransport : DaemonTransport
{
    // The length of the SETTINGS frame, with which an HTTP/2 server begins, fits in its last two bytes of three (RFC 9113 section 4.1).
    private const byte FirstByte = 0;

    private static readonly string[] DialStdio = ["buildctl", "dial-stdio"];

    private readonly DaemonTransport _engineTransport;
    private readonly DockerEngineClient _engine;
    private readonly string _container;
    private readonly ConcurrentBag<string> _execIDs = [];

    /// <param name="target">The builder.</param>
    /// <param name="engineTransport">How the Engine is reached; this transport owns it.</param>
    /// <param name="headers">Headers for the Engine's API.</param>
    /// <param name="container">The container's name or id.</param>
    /// <param name="connectTimeout">How long a connect may take.</param>
    public DockerExecTransport(
        TransportTarget target, DaemonTransport engineTransport, IReadOnlyDictionary<string, string> headers, string container, TimeSpan connectTimeout)
        : base(target, connectTimeout)
    {
        _engineTransport = engineTransport;
        _engine = new DockerEngineClient(engineTransport, headers);
        _container = container;
    }

    /// <summary>The ids of the commands that were started in the container, whether they still run or not.</summary>
    public IReadOnlyCollection<string> ExecIDs => _execIDs;

    public override bool TellsWhyItEnds => true;

    protected override async ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        var id = await _engine.Exec.CreateAsync(_container, DialStdio, cancellationToken).ConfigureAwait(false);
        _execIDs.Add(id);
        var stream = await _engine.Exec.StartAndAttachAsync(id, cancellationToken).ConfigureAwait(false);
        return new MultiplexedStream(stream, FirstByte, words => ConnectionFailures.ContainerCommandEnded(Target, _container, string.Join(' ', DialStdio), words));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _engine.Dispose();
            _engineTransport.Dispose();
        }
        base.Dispose(disposing);
    }
}
