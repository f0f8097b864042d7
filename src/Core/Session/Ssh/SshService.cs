using System.Buffers;
using BuildKit.Grpc;
using BuildKit.Protocol.Ssh;

namespace BuildKit.Session.Ssh;

/// <summary>
/// <c>moby.sshforward.v1.SSH</c>: carries the connections that steps open to <c>$SSH_AUTH_SOCK</c> to agents on this side (buildkit session/sshforward).
/// Every request is looked at: steps may list keys and sign with them, and nothing else. Owns the agents.
/// </summary>
internal sealed class SshService : ISessionService
{
    private const string ServiceName = "moby.sshforward.v1.SSH";
    private const string IdKey = "buildkit.ssh.id";
    private const string DefaultId = "default";

    private static readonly Method<CheckAgentRequest, CheckAgentResponse> CheckAgentMethod =
        Method.Protobuf<CheckAgentRequest, CheckAgentResponse>(MethodType.Unary, ServiceName, "CheckAgent");

    private static readonly Method<byte[], ReadOnlyMemory<byte>> ForwardAgentMethod = new(
        MethodType.DuplexStreaming, ServiceName, "ForwardAgent", BytesMessageMarshaller.Reader(static payload => payload.ToArray()), BytesMessageMarshaller.Writer);

    private readonly IReadOnlyDictionary<string, ISshAgent> _agents;

    /// <param name="agents">The agents by id.</param>
    public SshService(IReadOnlyDictionary<string, ISshAgent> agents)
    {
        _agents = agents;
        Definition = new ServerServiceDefinition()
            .AddMethod(CheckAgentMethod, (request, _) => Task.FromResult(CheckAgent(request)))
            .AddMethod(ForwardAgentMethod, ForwardAgentAsync);
    }

    public ServerServiceDefinition Definition { get; }

    // The daemon tells a step no more than that its connection closed.
    public BuildKitException? FailureBehind(string message) => null;

    public ValueTask DisposeAsync()
    {
        foreach (var agent in _agents.Values)
            agent.Dispose();
        return ValueTask.CompletedTask;
    }

    private CheckAgentResponse CheckAgent(CheckAgentRequest request)
    {
        Find(request.ID);
        return new CheckAgentResponse();
    }

    private async Task ForwardAgentAsync(IAsyncStreamReader<byte[]> requests, IServerStreamWriter<ReadOnlyMemory<byte>> replies, ServerCallContext context)
    {
        var connection = await Find(context.RequestHeaders.GetValue(IdKey)).ConnectAsync(context.CancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var messages = new SshAgentRequests(requests);
            while (await messages.NextAsync(context.CancellationToken).ConfigureAwait(false) is { } request)
            {
                var reply = SshAgentMessage.IsAllowed(request.Span)
                    ? await connection.AnswerAsync(request, context.CancellationToken).ConfigureAwait(false)
                    : SshAgentMessage.FailureAnswer;
                await replies.WriteAsync(reply, context.CancellationToken).ConfigureAwait(false);
            }
        }
    }

    private ISshAgent Find(string? id)
    {
        var known = string.IsNullOrEmpty(id) ? DefaultId : id;
        return _agents.TryGetValue(known, out var agent) ? agent : throw new RpcException(new Status(StatusCode.NotFound, $"unset ssh forward key {known}"));
    }
}
