using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Solve;
using BuildKit.Solve.Exporters;

namespace BuildKit.Module.Completion;

/// <summary>Completes outputs: their types, then the attributes of the type, then an attribute's values.</summary>
public sealed class OutputCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(wordToComplete);
        var typed = wordToComplete.Trim('\'', '"');
        // Within quotes the fields stand in the word itself; without them PowerShell has made a list of them.
        var end = typed.LastIndexOf(',') + 1;
        var before = end > 0 ? typed[..(end - 1)].Split(',') : FieldsBefore(commandAst, parameterName);
        var values = TypeOf(before) is { } type && !typed[end..].StartsWith("type=", StringComparison.OrdinalIgnoreCase) ? Fields(type, before, typed[end..]) : Types();
        return Completions.Matching(values.Select(value => typed[..end] + value), wordToComplete);
    }

    private static IEnumerable<string> Types() => BuildKitExporter.List(null)
        .Where(exporter => exporter.Destination != ExporterDestination.Layout)
        .Select(exporter => $"type={exporter.Name}{(NeedsDestination(exporter) ? ",dest=" : "")}").Distinct();

    private static IEnumerable<string> Fields(string type, string[] before, string typed)
    {
        var given = before.Select(field => field.Split('=', 2)[0]).ToHashSet();
        var attributes = BuildKitExporter.List(null).Where(exporter => exporter.Name == type).SelectMany(exporter => exporter.Attributes).DistinctBy(attribute => attribute.Name);
        var equals = typed.IndexOf('=', StringComparison.Ordinal);
        return equals < 0
            ? attributes.Where(attribute => !given.Contains(attribute.Name)).Select(attribute => attribute.Name.EndsWith(".KEY", StringComparison.Ordinal) ? attribute.Name[..^3] : $"{attribute.Name}=")
            : attributes.Where(attribute => attribute.Name == typed[..equals]).SelectMany(attribute => attribute.Values).Select(value => $"{typed[..equals]}={value}");
    }

    private static bool NeedsDestination(BuildKitExporter exporter) => exporter.Destination is ExporterDestination.Directory or ExporterDestination.File;

    private static string? TypeOf(IEnumerable<string> fields) =>
        fields.LastOrDefault(field => field.StartsWith("type=", StringComparison.OrdinalIgnoreCase))?["type=".Length..].ToLowerInvariant();

    private static string[] FieldsBefore(CommandAst command, string parameterName)
    {
        var elements = command.CommandElements;
        for (var i = 0; i < elements.Count; i++)
        {
            if (elements[i] is not CommandParameterAst parameter || !parameterName.StartsWith(parameter.ParameterName, StringComparison.OrdinalIgnoreCase))
                continue;
            // A list that ends with a comma is no list to the parser yet: its text is.
            var argument = parameter.Argument?.Extent.Text ?? elements.ElementAtOrDefault(i + 1)?.Extent.Text ?? "";
            return argument.Split(',')[..^1].Select(field => field.Trim().Trim('\'', '"')).ToArray();
        }
        return [];
    }
}
