using System.Buffers.Binary;

namespace BuildKit.Session.Ssh;

/// <summary>
/// The messages of the SSH agent protocol that matter here (draft-ietf-sshm-ssh-agent, sections 3 and 5): a length of four bytes, a type, and what the type needs.
/// </summary>
internal static class SshAgentMessage
{
    public const byte Failure = 5;
    public const byte RequestIdentities = 11;
    public const byte IdentitiesAnswer = 12;
    public const byte SignRequest = 13;
    public const byte SignResponse = 14;

    /// <summary>The bytes before a message's type.</summary>
    public const int PrefixLength = 4;

    /// <summary>The most bytes that may follow the length; OpenSSH has the same limit (<c>AGENT_MAX_LEN</c>).</summary>
    public const int MaxLength = 256 * 1024;

    /// <summary>The answer to everything that is refused.</summary>
    public static ReadOnlyMemory<byte> FailureAnswer { get; } = new byte[] { 0, 0, 0, 1, Failure };

    /// <summary>
    /// Whether a step may ask this of an agent: to list keys and to sign. Whoever runs in a step must not add or remove the user's keys, nor lock the agent
    /// (buildkit session/sshforward/sshprovider <c>readOnlyAgent</c>).
    /// </summary>
    /// <param name="message">A whole message.</param>
    public static bool IsAllowed(ReadOnlySpan<byte> message) => message[PrefixLength] is RequestIdentities or SignRequest;

    /// <summary>Reads the length of a message.</summary>
    /// <param name="prefix">At least its first four bytes.</param>
    /// <param name="length">How many bytes follow the length.</param>
    /// <returns>False for a length that no message has.</returns>
    public static bool TryReadLength(ReadOnlySpan<byte> prefix, out int length)
    {
        var value = BinaryPrimitives.ReadUInt32BigEndian(prefix);
        length = value is > 0 and <= MaxLength ? (int)value : 0;
        return length > 0;
    }
}
