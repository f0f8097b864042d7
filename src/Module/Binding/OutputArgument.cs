using System.Collections;
using System.Management.Automation;
using System.Text.RegularExpressions;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-Output</c>: strings as docker users write them, hashtables, and <see cref="SolveOutput"/>s.</summary>
internal static partial class OutputArgument
{
    private const string Example = "Write 'type=local,dest=out', @{ type = 'tar'; dest = 'out.tar' }, a folder's path alone, or give what New-BuildKitOutput returns.";

    /// <summary>Reads all values.</summary>
    /// <param name="session">The session, against whose location destinations are resolved.</param>
    /// <param name="values">What was bound.</param>
    /// <returns>The outputs, in order. One that goes to the pipeline has <see cref="SolveOutput.StandardOutput"/> as its destination.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidOutput</c>, or a destination that is no path of the file system.</exception>
    public static List<SolveOutput> Read(SessionState session, IEnumerable<object?> values)
    {
        var outputs = new List<SolveOutput>();
        var pieces = new List<string>();
        foreach (var value in values)
        {
            var item = PSValue.Unwrap(value);
            if (item is string text)
            {
                Add(text);
                continue;
            }
            Flush();
            outputs.Add(item switch
            {
                SolveOutput output => output with { Destination = Resolve(session, output.Destination) },
                FileSystemInfo folder => new SolveOutput { Type = "local", Destination = folder.FullName },
                IDictionary table => FromTable(session, table),
                _ => throw Invalid($"'{item}' is no output.", item),
            });
        }
        Flush();
        RefuseWrongStreams(outputs);
        return outputs;

        // PowerShell takes the commas of an unquoted type=local,dest=out for its own and passes two strings:
        // what has no type of its own belongs to what stands before it.
        void Add(string text)
        {
            var isPath = !text.Contains('=', StringComparison.Ordinal) && !text.Contains(',', StringComparison.Ordinal);
            var follows = pieces.Exists(HasType().IsMatch);
            // An attribute without a value must not become a folder.
            if (isPath && follows && text != SolveOutput.StandardOutput && !text.StartsWith('.') && text.IndexOfAny(['/', '\\', '~']) < 0)
            {
                var before = string.Join(',', pieces);
                throw Invalid($"'{text}' after '{before}' is neither name=value nor clearly a folder: quote the whole output, or write './{text}'.", text);
            }
            if (isPath || (follows && HasType().IsMatch(text)))
                Flush();
            pieces.Add(follows && !isPath ? AsFields(text) : text);
            if (isPath)
                Flush();
        }

        void Flush()
        {
            if (pieces.Count > 0)
                outputs.Add(SolveOutput.Parse(string.Join(',', pieces), path => FileSystemPath.Resolve(session, path)));
            pieces.Clear();
        }
    }

    /// <summary>Makes a destination absolute.</summary>
    /// <param name="session">The session.</param>
    /// <param name="destination">What was written; null or empty for none.</param>
    /// <returns>An absolute path, <see cref="SolveOutput.StandardOutput"/> as it is, or null.</returns>
    public static string? Resolve(SessionState session, string? destination) =>
        string.IsNullOrEmpty(destination) ? null : destination == SolveOutput.StandardOutput ? destination : FileSystemPath.Resolve(session, destination);

    private static SolveOutput FromTable(SessionState session, IDictionary table)
    {
        var attributes = new Dictionary<string, string>();
        Stream? stream = null;
        foreach (DictionaryEntry entry in table)
        {
            var name = StringTable.Text(entry.Key).Trim().ToLowerInvariant();
            if (name == "dest" && PSValue.Unwrap(entry.Value) is Stream given)
                stream = given;
            else
                attributes[name] = StringTable.Text(entry.Value);
        }
        attributes.Remove("type", out var type);
        attributes.Remove("dest", out var destination);
        if (string.IsNullOrWhiteSpace(type))
            throw Invalid($"The output @{{ {string.Join("; ", attributes.Select(pair => $"{pair.Key} = {pair.Value}"))} }} has no type.", table);
        return new SolveOutput { Type = type.Trim().ToLowerInvariant(), Destination = Resolve(session, destination), Stream = stream, Attributes = attributes };
    }

    // Of "name=a:1,b:1" PowerShell has taken the quotes away.
    private static string AsFields(string text) =>
        CsvFields.Split(text).All(field => field.Contains('=', StringComparison.Ordinal)) ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static void RefuseWrongStreams(List<SolveOutput> outputs)
    {
        var toPipeline = outputs.Where(output => output.Destination == SolveOutput.StandardOutput).ToList();
        if (toPipeline.Count > 1)
            throw Invalid("Several outputs are to be written to the pipeline, where their bytes would be mixed. Give all but one a file as dest.", "-");
        if (toPipeline.Find(IsDirectory) is { } directory)
            throw Invalid($"The output '{directory.Type}' is a folder, which can't be written to the pipeline as bytes. Give it a dest, or use type=tar.", directory.Type);
        if (outputs.Find(output => output.Stream is not null && IsDirectory(output)) is { } streamed)
            throw Invalid($"The output '{streamed.Type}' is a folder, which no stream can take. Give it a dest, or use type=tar.", streamed.Type);
    }

    private static bool IsDirectory(SolveOutput output) =>
        output.Type == "local" || GoBoolean.Parse(output.Attributes.GetValueOrDefault("tar")) == false;

    [GeneratedRegex("(^|,)\\s*\"?type=", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex HasType();

    private static BuildKitException Invalid(string message, object? target) =>
        new("BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument, message, Example) { Target = target?.ToString() };
}
