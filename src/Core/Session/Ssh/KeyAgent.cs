using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace BuildKit.Session.Ssh;

/// <summary>An SSH agent in this process, for key files: it lists its keys and signs with them. Owns the keys.</summary>
internal sealed class KeyAgent : ISshAgent, ISshAgentConnection
{
    private readonly IReadOnlyList<SshPrivateKey> _keys;
    private readonly byte[] _identities;

    public KeyAgent(IReadOnlyList<SshPrivateKey> keys)
    {
        _keys = keys;
        _identities = Identities(keys);
    }

    public ValueTask<ISshAgentConnection> ConnectAsync(CancellationToken cancellationToken) => ValueTask.FromResult<ISshAgentConnection>(this);

    public ValueTask<ReadOnlyMemory<byte>> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(request.Span[SshAgentMessage.PrefixLength] == SshAgentMessage.RequestIdentities
            ? _identities
            : Sign(request.Span[(SshAgentMessage.PrefixLength + 1)..]));

    /// <summary>The keys stay with the agent; they are needed for further connections.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public void Dispose()
    {
        foreach (var key in _keys)
            key.Dispose();
    }

    private ReadOnlyMemory<byte> Sign(ReadOnlySpan<byte> request)
    {
        var reader = new SshReader(request);
        if (!reader.TryReadString(out var blob) || !reader.TryReadString(out var data) || !reader.TryReadUInt32(out var flags))
            return SshAgentMessage.FailureAnswer;
        foreach (var key in _keys)
        {
            if (!blob.SequenceEqual(key.PublicBlob))
                continue;
            try
            {
                return Message(SshAgentMessage.SignResponse, key.Sign(data, flags), static (writer, signature) => writer.WriteString(signature));
            }
            catch (CryptographicException)
            {
                // A policy of the system may forbid SHA-1, or small keys.
                return SshAgentMessage.FailureAnswer;
            }
        }
        return SshAgentMessage.FailureAnswer;
    }

    // Comments stay empty, as upstream's agent has them: they tend to tell a user's and a machine's name.
    private static byte[] Identities(IReadOnlyList<SshPrivateKey> keys) => Message(SshAgentMessage.IdentitiesAnswer, keys, static (writer, all) =>
    {
        writer.WriteUInt32((uint)all.Count);
        foreach (var key in all)
        {
            writer.WriteString(key.PublicBlob);
            writer.WriteString([]);
        }
    });

    private static byte[] Message<T>(byte type, T content, Action<SshWriter, T> write)
    {
        var writer = new SshWriter();
        writer.WriteUInt32(0);
        writer.WriteByte(type);
        write(writer, content);
        var message = writer.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length - SshAgentMessage.PrefixLength);
        return message;
    }
}
