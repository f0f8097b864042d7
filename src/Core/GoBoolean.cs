namespace BuildKit;

/// <summary>The words that Go's <c>strconv.ParseBool</c> takes, and with it docker's options and variables.</summary>
public static class GoBoolean
{
    /// <summary>Reads a word.</summary>
    /// <param name="text">The word.</param>
    /// <returns>Null where it is none of them.</returns>
    public static bool? Parse(string? text) => text switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => null,
    };
}
