using System.Numerics;
using System.Security.Cryptography;

namespace BuildKit.Session.Auth;

/// <summary>
/// Ed25519 signatures (RFC 8032, section 5.1), which net8.0 does not have. For the token authority alone (docs/decisions/0003-token-authority.md): its arithmetic does not run in
/// constant time, which matters for no key here, because each is made for one daemon and proves something to that daemon only. Use it for nothing else.
/// </summary>
internal static class Ed25519
{
    public const int SeedSize = 32;
    public const int SignatureSize = 64;

    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger L = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", null);
    private static readonly BigInteger D = Mod(-121665 * Inverse(121666));
    private static readonly Point Base = MakeBase();
    private static readonly Point Neutral = new(0, 1, 1, 0);

    /// <summary>The 32 bytes of the public key that belongs to a seed (section 5.1.5).</summary>
    public static byte[] PublicKey(ReadOnlySpan<byte> seed) => Encode(Multiply(Base, Expand(seed, out _)));

    /// <summary>The 64 bytes of the signature of a message (section 5.1.6).</summary>
    public static byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message)
    {
        var scalar = Expand(seed, out var prefix);
        var publicKey = Encode(Multiply(Base, scalar));
        var r = HashToScalar(prefix, [], message);
        var encodedR = Encode(Multiply(Base, r));
        var k = HashToScalar(encodedR, publicKey, message);
        var signature = new byte[SignatureSize];
        encodedR.CopyTo(signature, 0);
        WriteLittleEndian((r + (k * scalar)) % L, signature.AsSpan(32));
        CryptographicOperations.ZeroMemory(prefix);
        return signature;
    }

    // A point in extended homogeneous coordinates (section 5.1.4).
    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z, BigInteger T);

    private static BigInteger Expand(ReadOnlySpan<byte> seed, out byte[] prefix)
    {
        if (seed.Length != SeedSize)
            throw new ArgumentException($"A seed has {SeedSize} bytes.", nameof(seed));
        var hash = SHA512.HashData(seed);
        hash[0] &= 0xF8;
        hash[31] = (byte)((hash[31] & 0x7F) | 0x40);
        prefix = hash[32..];
        var scalar = new BigInteger(hash.AsSpan(0, 32), isUnsigned: true);
        CryptographicOperations.ZeroMemory(hash);
        return scalar;
    }

    private static BigInteger HashToScalar(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> message)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        sha.AppendData(first);
        sha.AppendData(second);
        sha.AppendData(message);
        return new BigInteger(sha.GetHashAndReset(), isUnsigned: true) % L;
    }

    private static Point Multiply(Point point, BigInteger scalar)
    {
        var result = Neutral;
        for (var bit = (int)scalar.GetBitLength() - 1; bit >= 0; bit--)
        {
            result = Add(result, result);
            if (!((scalar >> bit) & 1).IsZero)
                result = Add(result, point);
        }
        return result;
    }

    // The formulas are complete: they hold for equal points, too.
    private static Point Add(in Point p, in Point q)
    {
        var a = Mod((p.Y - p.X) * (q.Y - q.X));
        var b = Mod((p.Y + p.X) * (q.Y + q.X));
        var c = Mod(2 * p.T * q.T * D);
        var d = Mod(2 * p.Z * q.Z);
        var e = b - a;
        var f = d - c;
        var g = d + c;
        var h = b + a;
        return new Point(Mod(e * f), Mod(g * h), Mod(f * g), Mod(e * h));
    }

    private static byte[] Encode(in Point point)
    {
        var inverse = Inverse(point.Z);
        var bytes = new byte[32];
        WriteLittleEndian(Mod(point.Y * inverse), bytes);
        if (!Mod(point.X * inverse).IsEven)
            bytes[31] |= 0x80;
        return bytes;
    }

    // y = 4/5, and of the two x with x² = (y² - 1) / (d y² + 1) the even one (sections 5.1 and 5.1.3).
    private static Point MakeBase()
    {
        var y = Mod(4 * Inverse(5));
        var x2 = Mod(((y * y) - 1) * Inverse(Mod((D * y * y) + 1)));
        var x = BigInteger.ModPow(x2, (P + 3) / 8, P);
        if (Mod((x * x) - x2) != 0)
            x = Mod(x * BigInteger.ModPow(2, (P - 1) / 4, P));
        if (!x.IsEven)
            x = P - x;
        return new Point(x, y, 1, Mod(x * y));
    }

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(value, P - 2, P);

    private static BigInteger Mod(BigInteger value)
    {
        var rest = value % P;
        return rest.Sign < 0 ? rest + P : rest;
    }

    private static void WriteLittleEndian(BigInteger value, Span<byte> destination)
    {
        destination[..32].Clear();
        value.TryWriteBytes(destination, out _, isUnsigned: true);
    }
}
