using System.Formats.Asn1;
using System.Security.Cryptography;

namespace BuildKit.Session.Ssh;

/// <summary>Finds the private key in a PEM file (RFC 7468) and reads it by its label.</summary>
internal static class PemKey
{
    private const string LabelEnd = "PRIVATE KEY";

    // RFC 8017, RFC 5480, RFC 8410.
    private const string RsaAlgorithm = "1.2.840.113549.1.1.1";
    private const string EcAlgorithm = "1.2.840.10045.2.1";
    private const string Ed25519Algorithm = "1.3.101.112";

    private delegate SshPrivateKey Reader(ReadOnlySpan<byte> content);

    private static readonly Dictionary<string, Reader> Readers = new(StringComparer.Ordinal)
    {
        ["OPENSSH PRIVATE KEY"] = OpenSshKey.Parse,
        ["RSA PRIVATE KEY"] = static content => Rsa(content, static (RSA key, ReadOnlySpan<byte> der) => key.ImportRSAPrivateKey(der, out _)),
        ["EC PRIVATE KEY"] = static content => Ec(content, static (ECDsa key, ReadOnlySpan<byte> der) => key.ImportECPrivateKey(der, out _)),
        ["PRIVATE KEY"] = Pkcs8,
        ["ENCRYPTED PRIVATE KEY"] = static _ => throw Encrypted(),
        ["DSA PRIVATE KEY"] = static _ => throw NotSupported("DSA keys are too weak, and no server takes them any more"),
    };

    private delegate void Import<in T>(T key, ReadOnlySpan<byte> der);

    /// <summary>Reads the first private key of a file.</summary>
    /// <param name="text">The file.</param>
    /// <exception cref="SshKeyException">There is none that can be used.</exception>
    /// <exception cref="CryptographicException">Its numbers do not make a key.</exception>
    public static SshPrivateKey Parse(ReadOnlySpan<char> text)
    {
        // RFC 1421's headers, as OpenSSL wrote them before PKCS#8, are no part of what .NET takes for PEM.
        if (text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            throw Encrypted();
        while (PemEncoding.TryFind(text, out var fields))
        {
            var label = text[fields.Label];
            if (label.EndsWith(LabelEnd, StringComparison.Ordinal))
                return Read(label.ToString(), text[fields.Base64Data], fields.DecodedDataLength);
            text = text[fields.Location.End..];
        }
        throw new SshKeyException(SshKeyProblem.Invalid, "it holds no private key in PEM form");
    }

    private static SshPrivateKey Read(string label, ReadOnlySpan<char> base64, int length)
    {
        if (!Readers.TryGetValue(label, out var reader))
            throw NotSupported($"nothing is known of a {label}");
        var content = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        try
        {
            return Convert.TryFromBase64Chars(base64, content, out var written)
                ? reader(content.AsSpan(0, written))
                : throw new SshKeyException(SshKeyProblem.Invalid, "its base64 is broken");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private static SshPrivateKey Pkcs8(ReadOnlySpan<byte> content)
    {
        try
        {
            // RFC 5958: version, algorithm, and the key as an octet string.
            AsnDecoder.ReadSequence(content, AsnEncodingRules.DER, out var offset, out var length, out _);
            var info = content.Slice(offset, length);
            AsnDecoder.ReadInteger(info, AsnEncodingRules.DER, out var read);
            info = info[read..];
            AsnDecoder.ReadSequence(info, AsnEncodingRules.DER, out offset, out length, out read);
            var algorithm = AsnDecoder.ReadObjectIdentifier(info.Slice(offset, length), AsnEncodingRules.DER, out _);
            return algorithm switch
            {
                RsaAlgorithm => Rsa(content, static (RSA key, ReadOnlySpan<byte> der) => key.ImportPkcs8PrivateKey(der, out _)),
                EcAlgorithm => Ec(content, static (ECDsa key, ReadOnlySpan<byte> der) => key.ImportPkcs8PrivateKey(der, out _)),
                Ed25519Algorithm => Ed25519(OctetString(OctetString(info[read..]))),
                _ => throw NotSupported($"its algorithm {algorithm} is none that SSH uses"),
            };
        }
        catch (AsnContentException e)
        {
            throw new SshKeyException(SshKeyProblem.Invalid, "its ASN.1 is broken", e);
        }
    }

    private static ReadOnlySpan<byte> OctetString(ReadOnlySpan<byte> der) =>
        AsnDecoder.TryReadPrimitiveOctetString(der, AsnEncodingRules.DER, out var value, out _) ? value : throw new AsnContentException();

    private static RsaPrivateKey Rsa(ReadOnlySpan<byte> der, Import<RSA> import)
    {
        var key = RSA.Create();
        try
        {
            import(key, der);
            return new RsaPrivateKey(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static EcdsaPrivateKey Ec(ReadOnlySpan<byte> der, Import<ECDsa> import)
    {
        var key = ECDsa.Create();
        try
        {
            import(key, der);
            var curve = SshCurve.Find(key.ExportParameters(includePrivateParameters: false).Curve) ?? throw NotSupported("its curve is none that SSH uses");
            return new EcdsaPrivateKey(key, curve);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Makes a key of a seed.</summary>
    /// <exception cref="SshKeyException">The seed has another length, or nothing here can sign with it.</exception>
    internal static SshPrivateKey Ed25519(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != Ed25519PrivateKey.KeySize)
            throw new SshKeyException(SshKeyProblem.Invalid, "its length is wrong");
        if (LibCrypto.Instance is not { } library)
            throw NotSupported("signing with Ed25519 takes OpenSSL's libcrypto (1.1.1 or newer), which is not found here");
        try
        {
            return new Ed25519PrivateKey(library, seed);
        }
        catch (CryptographicException e)
        {
            throw new SshKeyException(SshKeyProblem.NotSupported, "OpenSSL's libcrypto refuses Ed25519 here", e);
        }
    }

    private static SshKeyException Encrypted() => new(SshKeyProblem.Encrypted, "it has a passphrase");

    private static SshKeyException NotSupported(string why) => new(SshKeyProblem.NotSupported, why);
}
