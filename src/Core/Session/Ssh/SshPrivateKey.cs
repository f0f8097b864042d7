namespace BuildKit.Session.Ssh;

/// <summary>A private key that can sign as SSH wants it. Signing from several threads is fine.</summary>
internal abstract class SshPrivateKey : IDisposable
{
    private readonly object _lock = new();

    /// <summary>The public key as SSH writes it (RFC 4253, section 6.6).</summary>
    public abstract byte[] PublicBlob { get; }

    /// <summary>Signs.</summary>
    /// <param name="data">What to sign.</param>
    /// <param name="flags">The flags of a sign request, which choose the hash for RSA.</param>
    /// <returns>The signature as SSH writes it: its algorithm's name, and its bytes.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The system refuses.</exception>
    public byte[] Sign(ReadOnlySpan<byte> data, uint flags)
    {
        // Neither .NET's keys nor libcrypto's promise to be usable by several threads.
        lock (_lock)
            return SignCore(data, flags);
    }

    public abstract void Dispose();

    protected abstract byte[] SignCore(ReadOnlySpan<byte> data, uint flags);

    protected static byte[] Blob<T>(string algorithm, T content, Action<SshWriter, T> write)
    {
        var writer = new SshWriter();
        writer.WriteString(algorithm);
        write(writer, content);
        return writer.ToArray();
    }
}
