using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Session.Ssh;

/// <summary>Reads OpenSSH's own form of private keys (openssh-portable PROTOCOL.key).</summary>
internal static class OpenSshKey
{
    private const byte Uncompressed = 4;

    /// <summary>Reads a key.</summary>
    /// <param name="content">What the PEM block holds.</param>
    /// <exception cref="SshKeyException">It can't be used.</exception>
    /// <exception cref="CryptographicException">Its numbers do not make a key.</exception>
    public static SshPrivateKey Parse(ReadOnlySpan<byte> content)
    {
        var magic = "openssh-key-v1\0"u8;
        if (!content.StartsWith(magic))
            throw Broken();
        var reader = new SshReader(content[magic.Length..]);
        if (!reader.TryReadString(out var cipher) || !reader.TryReadString(out _) || !reader.TryReadString(out _) || !reader.TryReadUInt32(out var keys))
            throw Broken();
        if (!cipher.SequenceEqual("none"u8))
            throw new SshKeyException(SshKeyProblem.Encrypted, "it has a passphrase");
        if (keys != 1 || !reader.TryReadString(out _) || !reader.TryReadString(out var secret))
            throw Broken();

        // Two equal numbers show that decryption gave sense.
        var key = new SshReader(secret);
        if (!key.TryReadUInt32(out var check) || !key.TryReadUInt32(out var again) || check != again || !key.TryReadString(out var type))
            throw Broken();
        if (type.SequenceEqual("ssh-ed25519"u8))
            return Ed25519(ref key);
        if (type.SequenceEqual("ssh-rsa"u8))
            return Rsa(ref key);
        if (type.StartsWith("ecdsa-sha2-"u8))
            return Ecdsa(ref key);
        // Keys of security tokens (sk-…), and what was given up (ssh-dss).
        throw new SshKeyException(SshKeyProblem.NotSupported, $"its type is {Encoding.Latin1.GetString(type)}");
    }

    private static SshPrivateKey Ed25519(ref SshReader key)
    {
        // The second string is the seed followed by the public key.
        if (!key.TryReadString(out _) || !key.TryReadString(out var pair) || pair.Length != 2 * Ed25519PrivateKey.KeySize)
            throw Broken();
        return PemKey.Ed25519(pair[..Ed25519PrivateKey.KeySize]);
    }

    private static EcdsaPrivateKey Ecdsa(ref SshReader key)
    {
        if (!key.TryReadString(out var name) || !key.TryReadString(out var point) || !key.TryReadMpint(out var number))
            throw Broken();
        var curve = SshCurve.Find(name) ?? throw new SshKeyException(SshKeyProblem.NotSupported, "its curve is not known");
        var size = curve.FieldSize;
        if (point.Length != 1 + 2 * size || point[0] != Uncompressed || number.Length > size)
            throw Broken();
        var parameters = new ECParameters
        {
            Curve = curve.Curve,
            Q = new ECPoint { X = point.Slice(1, size).ToArray(), Y = point.Slice(1 + size, size).ToArray() },
            D = Padded(number, size),
        };
        try
        {
            return new EcdsaPrivateKey(ECDsa.Create(parameters), curve);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(parameters.D);
        }
    }

    private static RsaPrivateKey Rsa(ref SshReader key)
    {
        if (!key.TryReadMpint(out var n) || !key.TryReadMpint(out var e) || !key.TryReadMpint(out var d)
            || !key.TryReadMpint(out var inverse) || !key.TryReadMpint(out var p) || !key.TryReadMpint(out var q))
            throw Broken();
        // .NET wants all numbers but those of the public key as long as half of the modulus, or as all of it.
        var half = (n.Length + 1) / 2;
        if (n.IsEmpty || e.IsEmpty || p.IsEmpty || q.IsEmpty || d.Length > n.Length || p.Length > half || q.Length > half || inverse.Length > half)
            throw Broken();
        var parameters = new RSAParameters
        {
            Modulus = n.ToArray(),
            Exponent = e.ToArray(),
            D = Padded(d, n.Length),
            P = Padded(p, half),
            Q = Padded(q, half),
            DP = Reduced(d, p, half),
            DQ = Reduced(d, q, half),
            InverseQ = Padded(inverse, half),
        };
        try
        {
            return new RsaPrivateKey(RSA.Create(parameters));
        }
        finally
        {
            foreach (var number in new[] { parameters.D, parameters.P, parameters.Q, parameters.DP, parameters.DQ, parameters.InverseQ })
                CryptographicOperations.ZeroMemory(number);
        }
    }

    /// <summary>The exponent for one of the primes: d mod (p - 1).</summary>
    private static byte[] Reduced(ReadOnlySpan<byte> d, ReadOnlySpan<byte> prime, int size)
    {
        var modulus = new BigInteger(prime, isUnsigned: true, isBigEndian: true) - BigInteger.One;
        if (modulus.Sign <= 0)
            throw Broken();
        var exponent = BigInteger.Remainder(new BigInteger(d, isUnsigned: true, isBigEndian: true), modulus);
        return Padded(exponent.ToByteArray(isUnsigned: true, isBigEndian: true), size);
    }

    private static byte[] Padded(ReadOnlySpan<byte> number, int size)
    {
        var padded = GC.AllocateUninitializedArray<byte>(size, pinned: true);
        padded.AsSpan(0, size - number.Length).Clear();
        number.CopyTo(padded.AsSpan(size - number.Length));
        return padded;
    }

    private static SshKeyException Broken() => new(SshKeyProblem.Invalid, "it is damaged");
}
