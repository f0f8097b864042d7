namespace BuildKit.Solve.Exporters;

/// <summary>What a person gets from an output, and types for it.</summary>
/// <param name="Tag">The tag in the example; null for none.</param>
/// <param name="Output">The value of <c>-Output</c> in the example.</param>
/// <param name="Description">What comes of it.</param>
internal sealed record ExporterExample(string? Tag, string Output, string Description)
{
    /// <summary>The whole call.</summary>
    public string Call => $"Invoke-BuildKitSolve .{(Tag is null ? "" : $" -Tag {Tag}")} -Output '{Output}'";
}
