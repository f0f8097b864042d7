using System.Text;

namespace BuildKit.Solve;

/// <summary>The fields of an option as docker users write them: <c>type=oci,"name=a:1,b:1",dest=x.tar</c>.</summary>
public static class CsvFields
{
    /// <summary>
    /// Splits the fields (RFC 4180, as tonistiigi/go-csvvalue reads it): one in double quotes may hold commas, and quotes that are doubled; a quote anywhere else is an error.
    /// One line break at the end is left out.
    /// </summary>
    /// <param name="line">The option.</param>
    /// <returns>The fields without their quotes, spaces and all; at least one.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidOption</c>: a quote stands where none can.</exception>
    public static IReadOnlyList<string> Split(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        var text = line.EndsWith("\r\n", StringComparison.Ordinal) ? line[..^2] : line.EndsWith('\n') ? line[..^1] : line;
        var fields = new List<string>();
        var position = 0;
        while (true)
        {
            fields.Add(position < text.Length && text[position] == '"' ? ReadQuoted(text, ref position) : ReadPlain(text, ref position));
            if (position >= text.Length)
                return fields;
            position++; // the comma
        }
    }

    private static string ReadPlain(string text, ref int position)
    {
        var end = text.IndexOf(',', position);
        var field = end < 0 ? text[position..] : text[position..end];
        if (field.IndexOf('"', StringComparison.Ordinal) is >= 0 and var quote)
            throw Malformed(position + quote, "quotes stand around a whole field, the name before the = included");
        position += field.Length;
        return field;
    }

    private static string ReadQuoted(string text, ref int position)
    {
        var field = new StringBuilder();
        for (var i = position + 1; i < text.Length; i++)
        {
            if (text[i] != '"')
            {
                field.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append(text[i++]);
            }
            else if (i + 1 == text.Length || text[i + 1] == ',')
            {
                position = i + 1;
                return field.ToString();
            }
            else
            {
                throw Malformed(i, "after the quote that ends a field comes a comma, and a quote within a field is written twice");
            }
        }
        throw Malformed(position, "it is not closed");
    }

    // The option is not repeated: it may hold credentials.
    private static BuildKitException Malformed(int position, string why) =>
        new("BuildKit.InvalidOption", BuildKitErrorCategory.InvalidArgument, $"The quote that is character {position + 1} of the option is wrong: {why}.",
            "Write it as docker does: type=oci,\"name=a:1,b:1\",dest=x.tar.");
}
