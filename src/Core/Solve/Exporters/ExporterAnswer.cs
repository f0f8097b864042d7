namespace BuildKit.Solve.Exporters;

/// <summary>What a daemon answered.</summary>
/// <param name="Error">Its words; null where it did what it was asked.</param>
/// <param name="Bytes">Bytes of content that came.</param>
internal sealed record ExporterAnswer(string? Error, long Bytes);
