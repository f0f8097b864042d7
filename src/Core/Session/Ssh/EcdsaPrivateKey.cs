using System.Security.Cryptography;

namespace BuildKit.Session.Ssh;

/// <summary>An ECDSA key (RFC 5656, section 3.1).</summary>
internal sealed class EcdsaPrivateKey : SshPrivateKey
{
    private const byte Uncompressed = 4;

    private readonly ECDsa _key;
    private readonly SshCurve _curve;

    /// <param name="key">The key, which this owns.</param>
    /// <param name="curve">Its curve.</param>
    public EcdsaPrivateKey(ECDsa key, SshCurve curve)
    {
        _key = key;
        _curve = curve;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        byte[] encoded = [Uncompressed, .. point.X!, .. point.Y!];
        PublicBlob = Blob(curve.KeyType, (curve.Name, encoded), static (writer, content) =>
        {
            writer.WriteString(content.Name);
            writer.WriteString(content.encoded);
        });
    }

    public override byte[] PublicBlob { get; }

    public override void Dispose() => _key.Dispose();

    protected override byte[] SignCore(ReadOnlySpan<byte> data, uint flags)
    {
        var pair = _key.SignData(data, _curve.Hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        var numbers = new SshWriter();
        numbers.WriteMpint(pair.AsSpan(0, pair.Length / 2));
        numbers.WriteMpint(pair.AsSpan(pair.Length / 2));
        return Blob(_curve.KeyType, numbers.ToArray(), static (writer, signature) => writer.WriteString(signature));
    }
}
