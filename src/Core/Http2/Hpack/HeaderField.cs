namespace BuildKit.Http2.Hpack;

/// <summary>One header. Octets above 0x7F are kept one to a character (Latin-1), so that nothing is lost between the wire and the text.</summary>
/// <param name="Name">The name, in lower case; a pseudo-header starts with a colon.</param>
/// <param name="Value">The value.</param>
/// <param name="NeverIndexed">The value is a secret that must stay out of every compression table (RFC 7541 section 7.1.3).</param>
internal readonly record struct HeaderField(string Name, string Value, bool NeverIndexed = false)
{
    /// <summary>What an entry costs beside its octets (RFC 7541 section 4.1).</summary>
    public const int Overhead = 32;

    /// <summary>The size that header lists and dynamic tables are measured in, in octets.</summary>
    public int Size => Name.Length + Value.Length + Overhead;

    /// <summary>The header as a person reads it; a value that is never indexed is left out.</summary>
    public override string ToString() => NeverIndexed ? $"{Name}: …" : $"{Name}: {Value}";
}
