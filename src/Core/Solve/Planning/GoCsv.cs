namespace BuildKit.Solve.Planning;

/// <summary>Lines of comma-separated fields as Go's <c>encoding/csv</c> writes them, which is how options travel inside one attribute.</summary>
internal static class GoCsv
{
    /// <summary>Writes <c>key=value</c> fields, in this order.</summary>
    public static string Join(IEnumerable<KeyValuePair<string, string>> fields) => string.Join(',', fields.Select(field => Quote($"{field.Key}={field.Value}")));

    private static string Quote(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 && !field.StartsWith(' ') ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
