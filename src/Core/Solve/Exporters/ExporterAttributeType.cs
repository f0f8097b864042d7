namespace BuildKit.Solve.Exporters;

/// <summary>What values an attribute takes.</summary>
internal enum ExporterAttributeType
{
    /// <summary>Any text.</summary>
    String,

    /// <summary>What Go's <c>strconv.ParseBool</c> reads.</summary>
    Boolean,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>One of some words.</summary>
    Enumeration,

    /// <summary>Several texts, separated by commas.</summary>
    List,

    /// <summary>A path on this side.</summary>
    Path,
}
