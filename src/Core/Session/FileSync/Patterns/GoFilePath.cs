namespace BuildKit.Session.FileSync.Patterns;

/// <summary>
/// Go's <c>path/filepath</c> for slash-separated paths of bytes: what upstream's pattern and symlink code is defined by.
/// </summary>
internal static class GoFilePath
{
    public const byte Separator = (byte)'/';

    /// <summary>The shortest path that names the same: no empty or <c>.</c> elements, <c>..</c> resolved by the text alone, <c>.</c> for nothing.</summary>
    public static byte[] Clean(ReadOnlySpan<byte> path)
    {
        var output = new byte[path.Length + 1];
        var rooted = path.Length > 0 && path[0] == Separator;
        var read = 0;
        var written = 0;
        // Where ".." must stop: after the leading slash, or after leading ".." elements.
        var floor = 0;
        if (rooted)
        {
            output[written++] = Separator;
            read = floor = 1;
        }

        while (read < path.Length)
        {
            var length = path[read..].IndexOf(Separator);
            var element = length < 0 ? path[read..] : path.Slice(read, length);
            read += element.Length + 1;
            if (element.IsEmpty || element.SequenceEqual("."u8))
                continue;
            if (!element.SequenceEqual(".."u8))
            {
                if (written != (rooted ? 1 : 0))
                    output[written++] = Separator;
                element.CopyTo(output.AsSpan(written));
                written += element.Length;
            }
            else if (written > floor)
            {
                written--;
                while (written > floor && output[written] != Separator)
                    written--;
            }
            else if (!rooted)
            {
                if (written > 0)
                    output[written++] = Separator;
                output[written++] = (byte)'.';
                output[written++] = (byte)'.';
                floor = written;
            }
        }

        if (written == 0)
            output[written++] = (byte)'.';
        return output.AsSpan(0, written).ToArray();
    }

    /// <summary>Both paths joined by a slash and cleaned; an empty one is left out, and two empty ones are empty.</summary>
    public static byte[] Join(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (first.IsEmpty)
            return second.IsEmpty ? [] : Clean(second);
        return second.IsEmpty ? Clean(first) : Clean([.. first, Separator, .. second]);
    }

    /// <summary>All but the last element, cleaned.</summary>
    public static byte[] Dir(ReadOnlySpan<byte> path) => Clean(path[..(path.LastIndexOf(Separator) + 1)]);

    /// <summary>The last element.</summary>
    public static ReadOnlySpan<byte> Base(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty)
            return "."u8;
        path = path.TrimEnd(Separator);
        return path.IsEmpty ? "/"u8 : path[(path.LastIndexOf(Separator) + 1)..];
    }

    /// <summary>
    /// <c>filepath.Match</c>. Returns false where it would report a bad pattern, which, as there, is noticed only as far as the pattern has to be read.
    /// </summary>
    public static bool TryMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name, out bool matched)
    {
        matched = false;
        while (pattern.Length > 0)
        {
            var star = TakeChunk(ref pattern, out var chunk);
            if (star && chunk.IsEmpty)
            {
                matched = name.IndexOf(Separator) < 0;
                return true;
            }

            if (!TryMatchChunk(chunk, name, out var length))
                return false;
            if (length < 0 || (length < name.Length && pattern.IsEmpty))
            {
                if (!star)
                    return true;
                if (!TrySkip(chunk, pattern.IsEmpty, name, out length))
                    return false;
                if (length < 0)
                    return true;
            }

            name = name[length..];
        }

        matched = name.IsEmpty;
        return true;
    }

    /// <summary>
    /// Looks for the chunk further on in the name, within the same path element, and says where it ends there (-1: nowhere); false for a bad pattern.
    /// </summary>
    private static bool TrySkip(ReadOnlySpan<byte> chunk, bool last, ReadOnlySpan<byte> name, out int end)
    {
        for (var i = 1; i <= name.Length && name[i - 1] != Separator; i++)
        {
            if (!TryMatchChunk(chunk, name[i..], out end))
                return false;
            if (end < 0 || (last && i + end < name.Length))
                continue;
            end += i;
            return true;
        }

        end = -1;
        return true;
    }

    /// <summary>Takes stars and what follows them up to the next star; says whether there were stars.</summary>
    private static bool TakeChunk(ref ReadOnlySpan<byte> pattern, out ReadOnlySpan<byte> chunk)
    {
        var start = pattern;
        pattern = pattern.TrimStart((byte)'*');
        var star = pattern.Length < start.Length;
        var inRange = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case (byte)'\\':
                    i++;
                    break;
                case (byte)'[':
                    inRange = true;
                    break;
                case (byte)']':
                    inRange = false;
                    break;
                case (byte)'*' when !inRange:
                    chunk = pattern[..i];
                    pattern = pattern[i..];
                    return star;
            }
        }

        chunk = pattern;
        pattern = default;
        return star;
    }

    /// <summary>Matches a chunk at the beginning of the text and says how many bytes it took (-1: no match); false for a bad pattern.</summary>
    private static bool TryMatchChunk(ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> text, out int length)
    {
        length = -1;
        var whole = text.Length;
        // After a mismatch the chunk is read on, to find out whether it is well formed.
        var failed = false;
        while (chunk.Length > 0)
        {
            failed = failed || text.IsEmpty;
            switch (chunk[0])
            {
                case (byte)'[':
                    if (!TryMatchClass(ref chunk, ref text, ref failed))
                        return false;
                    break;
                case (byte)'?':
                    if (!failed)
                    {
                        failed = text[0] == Separator;
                        text = text[GoUtf8.Decode(text, out _)..];
                    }

                    chunk = chunk[1..];
                    break;
                default:
                    if (chunk[0] == (byte)'\\')
                    {
                        chunk = chunk[1..];
                        if (chunk.IsEmpty)
                            return false;
                    }

                    if (!failed)
                    {
                        failed = chunk[0] != text[0];
                        text = text[1..];
                    }

                    chunk = chunk[1..];
                    break;
            }
        }

        if (!failed)
            length = whole - text.Length;
        return true;
    }

    private static bool TryMatchClass(ref ReadOnlySpan<byte> chunk, ref ReadOnlySpan<byte> text, ref bool failed)
    {
        var rune = 0;
        if (!failed)
            text = text[GoUtf8.Decode(text, out rune)..];
        chunk = chunk[1..];
        var negated = chunk.Length > 0 && chunk[0] == (byte)'^';
        if (negated)
            chunk = chunk[1..];
        var match = false;
        for (var ranges = 0; ; ranges++)
        {
            if (chunk.Length > 0 && chunk[0] == (byte)']' && ranges > 0)
            {
                chunk = chunk[1..];
                break;
            }

            if (!TryTakeClassRune(ref chunk, out var low))
                return false;
            var high = low;
            if (chunk[0] == (byte)'-')
            {
                chunk = chunk[1..];
                if (!TryTakeClassRune(ref chunk, out high))
                    return false;
            }

            match = match || (low <= rune && rune <= high);
        }

        failed = failed || match == negated;
        return true;
    }

    private static bool TryTakeClassRune(ref ReadOnlySpan<byte> chunk, out int rune)
    {
        rune = 0;
        if (chunk.IsEmpty || chunk[0] is (byte)'-' or (byte)']')
            return false;
        if (chunk[0] == (byte)'\\')
        {
            chunk = chunk[1..];
            if (chunk.IsEmpty)
                return false;
        }

        var width = GoUtf8.Decode(chunk, out rune);
        chunk = chunk[width..];
        return !(rune == GoUtf8.RuneError && width == 1) && chunk.Length > 0;
    }
}
