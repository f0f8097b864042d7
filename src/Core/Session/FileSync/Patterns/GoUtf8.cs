using System.Buffers;
using System.Text;

namespace BuildKit.Session.FileSync.Patterns;

/// <summary>UTF-8 as Go reads it: a byte that is no valid UTF-8 counts as one U+FFFD, so that every file name has a reading.</summary>
internal static class GoUtf8
{
    public const int RuneError = 0xFFFD;

    /// <summary>Decodes the first rune of <paramref name="text"/>, which must not be empty, and says how many bytes it takes.</summary>
    public static int Decode(ReadOnlySpan<byte> text, out int rune)
    {
        if (text[0] < 0x80)
        {
            rune = text[0];
            return 1;
        }

        if (Rune.DecodeFromUtf8(text, out var value, out var consumed) == OperationStatus.Done)
        {
            rune = value.Value;
            return consumed;
        }

        rune = RuneError;
        return 1;
    }

    /// <summary>Decodes the last rune of <paramref name="text"/>, which must not be empty, and says how many bytes it takes.</summary>
    public static int DecodeLast(ReadOnlySpan<byte> text, out int rune)
    {
        if (Rune.DecodeLastFromUtf8(text, out var value, out var consumed) == OperationStatus.Done)
        {
            rune = value.Value;
            return consumed;
        }

        rune = RuneError;
        return 1;
    }

    /// <summary>Go's <c>strings.TrimSpace</c>.</summary>
    public static ReadOnlySpan<byte> TrimSpace(ReadOnlySpan<byte> text)
    {
        while (text.Length > 0)
        {
            var width = Decode(text, out var rune);
            if (!Rune.IsWhiteSpace(new Rune(rune)))
                break;
            text = text[width..];
        }

        while (text.Length > 0)
        {
            var width = DecodeLast(text, out var rune);
            if (!Rune.IsWhiteSpace(new Rune(rune)))
                break;
            text = text[..^width];
        }

        return text;
    }
}
