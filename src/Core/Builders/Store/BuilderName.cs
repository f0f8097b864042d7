using System.Text.RegularExpressions;

namespace BuildKit.Builders.Store;

/// <summary>Names of builders and nodes, by buildx's rules (store/util.go).</summary>
internal static partial class BuilderName
{
    /// <summary>The name as the store has it, in lower case.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNameInvalid</c>.</exception>
    public static string Normalize(string name) => IsValid(name)
        ? name.ToLowerInvariant()
        : throw new BuildKitException(
            "BuildKit.BuilderNameInvalid", BuildKitErrorCategory.InvalidArgument, $"'{name}' can't be the name of a builder or node.",
            "A name begins with a letter and holds letters, digits, '.', '-' and '_' alone.")
        { Target = name };

    public static bool IsValid(string name) => Name().IsMatch(name);

    // \z: a name becomes a file's, and $ would let a line break pass.
    [GeneratedRegex(@"^[a-zA-Z][a-zA-Z0-9._-]*\z")]
    private static partial Regex Name();
}
