namespace BuildKit.Session.Ssh;

/// <summary>An Ed25519 key (RFC 8709), which libcrypto holds and signs with: see docs/decisions/0005-ssh-keys.md.</summary>
internal sealed class Ed25519PrivateKey : SshPrivateKey
{
    /// <summary>The bytes of the seed, and of the public key.</summary>
    public const int KeySize = 32;

    private const string KeyType = "ssh-ed25519";

    private readonly LibCrypto _library;
    private readonly LibCryptoKey _key;

    /// <param name="library">libcrypto.</param>
    /// <param name="seed">The private key (RFC 8032, section 5.1.5); it is not kept here.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">libcrypto refuses it.</exception>
    public Ed25519PrivateKey(LibCrypto library, ReadOnlySpan<byte> seed)
    {
        _library = library;
        _key = library.ImportEd25519(seed);
        PublicBlob = Blob(KeyType, library.Ed25519PublicKey(_key), static (writer, key) => writer.WriteString(key));
    }

    public override byte[] PublicBlob { get; }

    public override void Dispose() => _key.Dispose();

    protected override byte[] SignCore(ReadOnlySpan<byte> data, uint flags) =>
        Blob(KeyType, _library.SignEd25519(_key, data), static (writer, signature) => writer.WriteString(signature));
}
