using BuildKit.Solve.Exporters;

namespace BuildKit.Solve;

/// <summary>One output, as <c>docker buildx build --output</c> names it.</summary>
public sealed record SolveOutput
{
    /// <summary>What docker writes for the standard output; here <see cref="Stream"/> is set in its place before the build.</summary>
    public const string StandardOutput = "-";

    private const string Example = "Write 'type=local,dest=out', 'type=image,\"name=a:1,b:1\"', or a folder's path alone.";

    /// <summary>The exporter in the user's words: <c>image</c>, <c>docker</c>, <c>oci</c>, <c>local</c>, <c>tar</c>, <c>registry</c>, <c>cacheonly</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The absolute path of the directory or file on this side, or null where the daemon keeps the result.</summary>
    public string? Destination { get; init; }

    /// <summary>Takes the file's bytes as they come, in place of <see cref="Destination"/>; the caller keeps and closes it. Null for none.</summary>
    public Stream? Stream { get; init; }

    /// <summary>The exporter's further attributes, such as <c>name</c> or <c>push</c>.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The types that <see cref="Type"/> can name.</summary>
    public static IReadOnlyList<string> Types { get; } = ExporterTable.Types.ToList();

    /// <summary>
    /// Reads an output as docker users write it: fields separated by commas (see <see cref="CsvFields"/>), names in any case, or the path of a folder alone, or <c>-</c> for a tar to the
    /// standard output (docker/buildx util/buildflags/export.go). A single <c>name=value</c> that is no type is refused, where docker would make a folder of that name; with a
    /// separator in front of the <c>=</c>, as in <c>./a=b</c>, it is one.
    /// </summary>
    /// <param name="text">The output.</param>
    /// <param name="resolvePath">Makes a destination absolute; null for what .NET takes as the current directory. It is not asked about <see cref="StandardOutput"/>.</param>
    /// <returns>The output; <see cref="Destination"/> is <see cref="StandardOutput"/> where that was written.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidOutput</c>: it is no such text.</exception>
    public static SolveOutput Parse(string text, Func<string, string>? resolvePath = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        IReadOnlyList<string> fields;
        try
        {
            fields = CsvFields.Split(text);
        }
        catch (BuildKitException e)
        {
            throw Invalid($"The output '{text}' can't be read. {e.Message}", text, e);
        }
        if (fields is [var only] && only == text && IsPath(only))
            return only.Length == 0 ? throw Invalid("The output is empty.", text) : Create(only == StandardOutput ? "tar" : "local", only, [], resolvePath);

        var attributes = new Dictionary<string, string>();
        foreach (var field in fields)
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || string.IsNullOrWhiteSpace(field[..equals]))
                throw Invalid($"'{field}' in the output '{text}' is not of the form name=value.", text);
            attributes[field[..equals].Trim().ToLowerInvariant()] = field[(equals + 1)..];
        }
        attributes.Remove("type", out var type);
        attributes.Remove("dest", out var destination);
        return string.IsNullOrWhiteSpace(type) ? throw Invalid($"The output '{text}' has no type.", text) : Create(type, destination, attributes, resolvePath);
    }

    /// <summary>The output as docker users write it, names in order of the alphabet.</summary>
    /// <returns>A text that <see cref="Parse"/> reads; a <see cref="Stream"/> is not in it.</returns>
    public override string ToString() => string.Join(',', new[] { ("type", Type), ("dest", Destination ?? string.Empty) }.Where(pair => pair.Item2.Length > 0)
        .Concat(Attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value)))
        .Select(pair => Quote($"{pair.Item1}={pair.Item2}")));

    private static string Quote(string field) =>
        field.AsSpan().IndexOfAny(',', '"') < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static bool IsPath(string field)
    {
        var equals = field.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 || field.AsSpan(0, equals).IndexOfAny('/', '\\') >= 0;
    }

    private static SolveOutput Create(string type, string? destination, Dictionary<string, string> attributes, Func<string, string>? resolvePath) => new()
    {
        Type = type.Trim().ToLowerInvariant(),
        Destination = string.IsNullOrEmpty(destination) ? null : destination == StandardOutput ? destination : (resolvePath ?? Path.GetFullPath)(destination),
        Attributes = attributes,
    };

    private static BuildKitException Invalid(string message, string text, BuildKitException? inner = null) =>
        new("BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument, message, Example, inner) { Target = text };
}
