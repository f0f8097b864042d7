using BuildKit.Solve.Exporters;

namespace BuildKit.Solve;

/// <summary>An attribute of an output, set as <c>type=oci,NAME=VALUE</c>.</summary>
/// <param name="Name">Its name; <c>annotation.KEY</c> stands for all annotations.</param>
/// <param name="Type"><c>String</c>, <c>Boolean</c>, <c>Integer</c>, <c>Enumeration</c>, <c>List</c> or <c>Path</c>.</param>
/// <param name="Default">What holds where it is not set; null for nothing.</param>
/// <param name="Since">The first BuildKit that has it, such as <c>0.11</c>; null where it is read on this side alone.</param>
/// <param name="Values">The words that can be written; none where any text or number can.</param>
/// <param name="Description">A sentence that says what it does.</param>
public sealed record BuildKitExporterAttribute(string Name, string Type, string? Default, string? Since, IReadOnlyList<string> Values, string Description)
{
    private static readonly string[] Booleans = ["true", "false"];

    internal static BuildKitExporterAttribute From(ExporterAttribute row) =>
        new(row.Name, row.Type.ToString(), row.Default, row.Since, row.Type == ExporterAttributeType.Boolean ? Booleans : row.Values, row.Description);
}
