using System.Globalization;
using System.Text;

namespace BuildKit.Oci;

/// <summary>What the headers before an entry say about it.</summary>
internal sealed class OciTarExtension
{
    public string? Name { get; private set; }

    public string? LinkName { get; private set; }

    public long? Size { get; private set; }

    /// <summary>Whether the content is not stored as it is.</summary>
    public bool IsSparse { get; private set; }

    public void Add(char type, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case 'L': Name = OciTarHeader.Text(content); break;
            case 'K': LinkName = OciTarHeader.Text(content); break;
            case 'x' or 'X': AddRecords(content); break;
            default: break;
        }
    }

    /// <summary>The record of a name, as pax writes it.</summary>
    public static byte[] PathRecord(string name)
    {
        var text = $" path={name}\n";
        var length = Encoding.UTF8.GetByteCount(text);
        // The length counts its own digits.
        var total = length + Digits(length);
        return Encoding.UTF8.GetBytes((length + Digits(total)).ToString(CultureInfo.InvariantCulture) + text);

        static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
    }

    // Records are "LENGTH KEY=VALUE\n", where LENGTH counts all of it.
    private void AddRecords(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var space = content.IndexOf((byte)' ');
            if (space < 0 || !int.TryParse(content[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length <= space + 1 || length > content.Length)
                return;
            var record = content[(space + 1)..(length - 1)];
            content = content[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 0)
                continue;
            var value = Encoding.UTF8.GetString(record[(equals + 1)..]);
            switch (Encoding.UTF8.GetString(record[..equals]))
            {
                case "path": Name = value; break;
                case "linkpath": LinkName = value; break;
                case "size": Size = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : -1; break;
                case var key when key.StartsWith("GNU.sparse.", StringComparison.Ordinal): IsSparse = true; break;
                default: break;
            }
        }
    }
}
