using System.Text.RegularExpressions;

namespace BuildKit.Oci;

/// <summary>One annotation of one part of an image (docker/buildx util/buildflags/export.go, moby/buildkit exporter/containerimage/exptypes).</summary>
/// <param name="Type">The part: one of <see cref="Types"/>, or null for each manifest.</param>
/// <param name="Platform">The platform whose manifest is meant, or null for all.</param>
/// <param name="Key">The annotation's name.</param>
/// <param name="Value">Its value.</param>
internal sealed partial record Annotation(string? Type, string? Platform, string Key, string Value)
{
    /// <summary>The parts that can be annotated; the ones of the index are not by platform.</summary>
    public static IReadOnlyList<string> Types { get; } = ["manifest", "index", "manifest-descriptor", "index-descriptor"];

    public bool IsOfIndex => Type is "index" or "index-descriptor";

    /// <summary>The exporter's attribute, such as <c>annotation-manifest[linux/arm64].org.example</c>.</summary>
    public string Attribute => $"annotation{(Type is null ? "" : "-" + Type)}{(Platform is null || IsOfIndex ? "" : $"[{Platform}]")}.{Key}";

    /// <summary>Reads <c>[TYPE[PLATFORM][,TYPE…]:]KEY=VALUE</c>: one annotation for each type.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="defaultOS">The system of a platform without one.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAnnotation</c> or <c>BuildKit.InvalidPlatform</c>.</exception>
    public static IEnumerable<Annotation> Parse(string text, string defaultOS)
    {
        if (text.Split('=', 2) is not [var name, var value])
            throw Invalid(text, "it is not of the form key=value");
        var (types, key) = name.Split(':', 2) is [var before, var after] ? (before, after) : (null, name);
        if (key.Length == 0 || key.Any(char.IsWhiteSpace))
            throw Invalid(text, "its key is empty or holds spaces");
        if (types is null)
            return [new Annotation(null, null, key, value)];
        return types.Split(',').Select(item =>
        {
            var match = TypeAndPlatform().Match(item);
            if (!match.Success || !Types.Contains(match.Groups["type"].Value))
                throw Invalid(text, $"'{item}' is none of {string.Join(", ", Types)}, with a platform in square brackets or without");
            var platform = match.Groups["platform"].Value;
            return new Annotation(match.Groups["type"].Value, platform.Length == 0 ? null : PlatformSpecifier.Parse(platform, defaultOS).ToString(), key, value);
        }).ToList();
    }

    /// <summary>Reads what <see cref="Attribute"/> writes.</summary>
    /// <param name="attribute">An exporter's attribute.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The annotation; null where the attribute is none.</returns>
    public static Annotation? FromAttribute(string attribute, string value)
    {
        var match = AnnotationAttribute().Match(attribute);
        return !match.Success ? null : new Annotation(NullIfEmpty(match.Groups["type"].Value), NullIfEmpty(match.Groups["platform"].Value), match.Groups["key"].Value, value);
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static BuildKitException Invalid(string text, string why) =>
        new("BuildKit.InvalidAnnotation", BuildKitErrorCategory.InvalidArgument, $"'{text}' can't be an annotation: {why}.",
            "Write it like -Annotation 'org.opencontainers.image.title=App' or 'index,manifest[linux/arm64]:key=value'.")
        { Target = text };

    [GeneratedRegex(@"^(?<type>[a-z-]+)(\[(?<platform>[A-Za-z0-9_/-]+)\])?$")]
    private static partial Regex TypeAndPlatform();

    [GeneratedRegex(@"^annotation(-(?<type>[a-z-]+))?(\[(?<platform>[A-Za-z0-9_/-]+)\])?\.(?<key>\S+)$")]
    private static partial Regex AnnotationAttribute();
}
