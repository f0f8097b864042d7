using System.Security.Cryptography;

namespace BuildKit.Session.Ssh;

/// <summary>An RSA key (RFC 4253, section 6.6; RFC 8332).</summary>
internal sealed class RsaPrivateKey : SshPrivateKey
{
    private const string KeyType = "ssh-rsa";

    // draft-ietf-sshm-ssh-agent, section 5.5.1: SSH_AGENT_RSA_SHA2_256 and _512.
    private const uint Sha256Flag = 2;
    private const uint Sha512Flag = 4;

    private readonly RSA _key;

    /// <param name="key">The key, which this owns.</param>
    public RsaPrivateKey(RSA key)
    {
        _key = key;
        PublicBlob = Blob(KeyType, key.ExportParameters(includePrivateParameters: false), static (writer, parameters) =>
        {
            writer.WriteMpint(parameters.Exponent);
            writer.WriteMpint(parameters.Modulus);
        });
    }

    public override byte[] PublicBlob { get; }

    public override void Dispose() => _key.Dispose();

    protected override byte[] SignCore(ReadOnlySpan<byte> data, uint flags)
    {
        // Without a flag the client wants SHA-1, which servers of old still ask for; OpenSSH's agent and upstream's comply.
        var (algorithm, hash) =
            (flags & Sha512Flag) != 0 ? ("rsa-sha2-512", HashAlgorithmName.SHA512)
            : (flags & Sha256Flag) != 0 ? ("rsa-sha2-256", HashAlgorithmName.SHA256)
            : (KeyType, HashAlgorithmName.SHA1);
        return Blob(algorithm, _key.SignData(data, hash, RSASignaturePadding.Pkcs1), static (writer, signature) => writer.WriteString(signature));
    }
}
