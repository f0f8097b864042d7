using System.Security.Cryptography;

namespace BuildKit.Session.Ssh;

/// <summary>An elliptic curve that SSH knows (RFC 5656, section 10.1).</summary>
/// <param name="Name">SSH's name.</param>
/// <param name="Curve">.NET's.</param>
/// <param name="Hash">What signatures on it hash with.</param>
/// <param name="FieldSize">The bytes of a coordinate.</param>
internal sealed record SshCurve(string Name, ECCurve Curve, HashAlgorithmName Hash, int FieldSize)
{
    public static IReadOnlyList<SshCurve> All { get; } =
    [
        new("nistp256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256, 32),
        new("nistp384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384, 48),
        new("nistp521", ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512, 66),
    ];

    /// <summary>The name of a key's type on this curve.</summary>
    public string KeyType => "ecdsa-sha2-" + Name;

    public static SshCurve? Find(ReadOnlySpan<byte> name)
    {
        foreach (var curve in All)
            if (System.Text.Ascii.Equals(name, curve.Name))
                return curve;
        return null;
    }

    // Windows names curves without numbers.
    public static SshCurve? Find(ECCurve curve) => !curve.IsNamed ? null : All.FirstOrDefault(known => curve.Oid.Value is { } value
        ? value == known.Curve.Oid.Value
        : string.Equals(curve.Oid.FriendlyName, known.Curve.Oid.FriendlyName, StringComparison.OrdinalIgnoreCase));
}
