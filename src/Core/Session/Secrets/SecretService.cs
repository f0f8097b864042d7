using BuildKit.Grpc;
using BuildKit.Protocol.Secrets;

namespace BuildKit.Session.Secrets;

/// <summary><c>moby.buildkit.secrets.v1.Secrets</c>: gives the daemon the values of secrets, by id (buildkit session/secrets/secretsprovider).</summary>
internal sealed class SecretService : ISessionService
{
    // Declared with a stream of responses, which on the wire is the same as with one, because only then is there a time after the response was written.
    // GetSecretResponse and BytesMessage are written alike.
    private static readonly Method<GetSecretRequest, ReadOnlyMemory<byte>> GetSecretMethod = new(
        MethodType.ServerStreaming, "moby.buildkit.secrets.v1.Secrets", "GetSecret", Marshallers.Protobuf<GetSecretRequest>(), BytesMessageMarshaller.Writer);

    private readonly Dictionary<string, SecretSource> _secrets = new(StringComparer.Ordinal);
    private BuildKitException? _failure;

    /// <param name="secrets">What the daemon may ask for. Of two with one id the last one counts, as upstream has it.</param>
    public SecretService(IEnumerable<SecretSource> secrets)
    {
        foreach (var secret in secrets)
            _secrets[secret.Id] = secret;
        Definition = new ServerServiceDefinition().AddMethod(GetSecretMethod, GetSecretAsync);
    }

    public ServerServiceDefinition Definition { get; }

    // The build may have gone on without, so that something else made it fail.
    public BuildKitException? FailureBehind(string message) =>
        Volatile.Read(ref _failure) is { } failure && message.Contains(failure.Message, StringComparison.Ordinal) ? failure : null;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task GetSecretAsync(GetSecretRequest request, IServerStreamWriter<ReadOnlyMemory<byte>> responses, ServerCallContext context)
    {
        // The code that lets the daemon go on where the secret is not required.
        if (!_secrets.TryGetValue(request.ID, out var secret))
            throw new RpcException(new Status(StatusCode.NotFound, "not found"));
        using var value = await ReadAsync(secret, context.CancellationToken).ConfigureAwait(false);
        await responses.WriteAsync(value.Memory, context.CancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<SecretValue> ReadAsync(SecretSource secret, CancellationToken cancellationToken)
    {
        try
        {
            return await secret.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            throw new RpcException(new Status(StatusCode.Unknown, e.Message), innerException: e);
        }
    }
}
