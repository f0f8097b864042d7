using System.Collections;
using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-Output</c>: strings as docker users write them, hashtables, and <see cref="SolveOutput"/>s.</summary>
internal static class OutputArgument
{
    private const string Example = "Write 'type=local,dest=out', @{ type = 'tar'; dest = 'out.tar' }, or a folder's path alone.";

    /// <summary>Reads all values.</summary>
    /// <param name="session">The session, against whose location destinations are resolved.</param>
    /// <param name="values">What was bound.</param>
    /// <returns>The outputs, in order.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidOutput</c>, or a destination that is no path of the file system.</exception>
    public static List<SolveOutput> Read(SessionState session, IEnumerable<object?> values)
    {
        var outputs = new List<SolveOutput>();
        var pieces = new List<string>();
        foreach (var value in values)
        {
            var item = value is PSObject wrapped ? wrapped.BaseObject : value;
            if (item is string text)
            {
                Add(text);
                continue;
            }
            Flush();
            outputs.Add(item switch
            {
                SolveOutput { Destination: { } destination } output => output with { Destination = FileSystemPath.Resolve(session, destination) },
                SolveOutput output => output,
                IDictionary table => FromPairs(session, StringTable.Read(table), table),
                _ => throw Invalid($"'{item}' is no output.", item),
            });
        }
        Flush();
        return outputs;

        // PowerShell takes the commas of an unquoted type=local,dest=out for its own and passes two strings:
        // what has no type of its own belongs to what stands before it.
        void Add(string text)
        {
            var fields = CsvFields.Split(text);
            var isPath = fields is [var only] && !only.Contains('=', StringComparison.Ordinal);
            // An attribute without a value, or the second name of an image, must not become a folder.
            if (isPath && HasType(pieces) && !text.StartsWith('.') && text.IndexOfAny(['/', '\\', '~']) < 0)
            {
                var before = string.Join(',', pieces);
                throw Invalid($"'{text}' after '{before}' is neither name=value nor clearly a folder: quote the whole output, or write './{text}'.", text);
            }
            if (isPath || (HasType(fields) && HasType(pieces)))
                Flush();
            pieces.AddRange(fields);
            if (isPath)
                Flush();
        }

        void Flush()
        {
            if (pieces.Count > 0)
                outputs.Add(FromFields(session, pieces));
            pieces.Clear();
        }
    }

    private static bool HasType(IEnumerable<string> fields) => fields.Any(field => field.TrimStart().StartsWith("type=", StringComparison.OrdinalIgnoreCase));

    private static SolveOutput FromFields(SessionState session, List<string> fields)
    {
        if (fields is [var path] && !path.Contains('=', StringComparison.Ordinal))
        {
            return path == "-"
                ? throw Invalid("An output can't be written to the pipeline: it would be bytes, not objects.", path)
                : new SolveOutput { Type = "local", Destination = FileSystemPath.Resolve(session, path) };
        }
        var spec = string.Join(',', fields);
        var pairs = new Dictionary<string, string>();
        foreach (var field in fields)
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw Invalid($"'{field}' in the output '{spec}' is not of the form name=value.", spec);
            pairs[field[..equals].Trim()] = field[(equals + 1)..];
        }
        return FromPairs(session, pairs, spec);
    }

    private static SolveOutput FromPairs(SessionState session, Dictionary<string, string> given, object target)
    {
        var pairs = given.DistinctBy(pair => pair.Key.ToLowerInvariant()).ToDictionary(pair => pair.Key.ToLowerInvariant(), pair => pair.Value);
        if (!pairs.Remove("type", out var type) || type.Length == 0)
            throw Invalid($"The output '{string.Join(',', pairs.Select(pair => $"{pair.Key}={pair.Value}"))}' has no type.", target);
        pairs.Remove("dest", out var destination);
        if (destination == "-")
            throw Invalid("An output can't be written to the pipeline: it would be bytes, not objects.", target);
        return new SolveOutput
        {
            Type = type.ToLowerInvariant(),
            Destination = string.IsNullOrEmpty(destination) ? null : FileSystemPath.Resolve(session, destination),
            Attributes = pairs,
        };
    }

    private static BuildKitException Invalid(string message, object? target) =>
        new("BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument, message, Example) { Target = target?.ToString() };
}
