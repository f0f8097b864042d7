namespace BuildKit.Solve.Exporters;

/// <summary>An attribute of exporters: a row of <see cref="ExporterAttributeTable"/>.</summary>
/// <param name="Name">Its name; one that ends in <c>.KEY</c> stands for all that begin like it.</param>
/// <param name="Type">What values it takes.</param>
/// <param name="Default">What holds where it is not set, in words where it depends; null for nothing.</param>
/// <param name="Since">The first BuildKit that has it; null where it is read on this side alone.</param>
/// <param name="Formats">Where it has an effect.</param>
/// <param name="Description">A sentence for a person.</param>
internal sealed record ExporterAttribute(string Name, ExporterAttributeType Type, string? Default, string? Since, ExporterFormat Formats, string Description)
{
    /// <summary>The words that an enumeration takes.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];
}
