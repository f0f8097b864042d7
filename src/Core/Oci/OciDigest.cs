using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace BuildKit.Oci;

/// <summary>A digest such as <c>sha256:…</c> (OCI image-spec, descriptor.md): only registered algorithms, only as they are written there, so that it is safe as a path.</summary>
public readonly record struct OciDigest
{
    private static readonly (string Algorithm, int Length, HashAlgorithmName Hash)[] Algorithms =
        [("sha256", 64, HashAlgorithmName.SHA256), ("sha384", 96, HashAlgorithmName.SHA384), ("sha512", 128, HashAlgorithmName.SHA512)];

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private OciDigest(string algorithm, string hex, HashAlgorithmName hashAlgorithm)
    {
        Algorithm = algorithm;
        Hex = hex;
        HashAlgorithm = hashAlgorithm;
    }

    /// <summary><c>sha256</c>, <c>sha384</c> or <c>sha512</c>.</summary>
    public string Algorithm { get; }

    /// <summary>The hash in lower-case hexadecimal digits.</summary>
    public string Hex { get; }

    /// <summary>The algorithm, to compute with.</summary>
    public HashAlgorithmName HashAlgorithm { get; }

    /// <summary>Reads a digest.</summary>
    /// <param name="text">The text, such as <c>sha256:…</c>.</param>
    /// <returns>The digest.</returns>
    /// <exception cref="FormatException">It is none.</exception>
    public static OciDigest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"'{text}' is no digest: sha256: and 64 lower-case hexadecimal digits");

    /// <summary>Reads a digest; false where it is none.</summary>
    /// <param name="text">The text, such as <c>sha256:…</c>.</param>
    /// <param name="digest">The digest.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out OciDigest digest)
    {
        digest = default;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon < 0)
            return false;
        var hex = text![(colon + 1)..];
        var row = Array.Find(Algorithms, row => text.AsSpan(0, colon).SequenceEqual(row.Algorithm));
        if (row.Algorithm is null || hex.Length != row.Length || hex.AsSpan().ContainsAnyExcept(HexDigits))
            return false;
        digest = new OciDigest(row.Algorithm, hex, row.Hash);
        return true;
    }

    /// <summary>The digest of a hash that was computed with an algorithm of <see cref="HashAlgorithm"/>.</summary>
    /// <param name="algorithm">The algorithm.</param>
    /// <param name="hash">The hash.</param>
    /// <returns>The digest.</returns>
    public static OciDigest FromHash(HashAlgorithmName algorithm, ReadOnlySpan<byte> hash) =>
        new(Array.Find(Algorithms, row => row.Hash == algorithm).Algorithm, Convert.ToHexString(hash).ToLowerInvariant(), algorithm);

    /// <summary>The SHA-256 digest of some bytes.</summary>
    internal static OciDigest Of(ReadOnlySpan<byte> content) => Of(content, HashAlgorithmName.SHA256);

    internal static OciDigest Of(ReadOnlySpan<byte> content, HashAlgorithmName algorithm)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        hash.AppendData(content);
        return FromHash(algorithm, hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Algorithm}:{Hex}";
}
