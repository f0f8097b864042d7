using System.Globalization;
using BuildKit.Docker;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Exporters;

/// <summary>The attributes of one output as they go over the wire.</summary>
internal static class ExportAttributes
{
    private const string Name = "name";

    /// <summary>Puts together what the table adds, what the user set and what the request's other members say.</summary>
    /// <param name="row">The exporter.</param>
    /// <param name="output">What the user set.</param>
    /// <param name="request">The request.</param>
    /// <param name="warnings">Is told of attributes that nobody knows, or that have no effect here.</param>
    /// <exception cref="BuildKitException">A value that can't be, or a push without a name.</exception>
    public static Dictionary<string, string> Compose(ExporterRow row, SolveOutput output, SolveRequest request, ICollection<string> warnings)
    {
        var attributes = new Dictionary<string, string>(row.Attributes);
        foreach (var (name, value) in output.Attributes)
            attributes[name] = Check(row, name, value, warnings);
        if (row.AlwaysPushes || (request.Push && row.Push != ExporterPush.None))
            attributes["push"] = "true";
        if (row.TakesName && request.Tags.Count > 0)
            attributes[Name] = string.Join(',', request.Tags.Select(tag => FullName(tag, attributes)));
        CheckPush(row, attributes);
        return attributes;
    }

    /// <summary>Whether the image is pushed.</summary>
    public static bool Pushes(ExporterRow row, IReadOnlyDictionary<string, string> attributes) =>
        row.Push != ExporterPush.None && GoBoolean.Parse(attributes.GetValueOrDefault("push")) == true;

    /// <summary>The names of the image, whole.</summary>
    public static List<string> Names(IReadOnlyDictionary<string, string> attributes) =>
        attributes.GetValueOrDefault(Name, "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ImageReference.Normalize).ToList();

    private static string Check(ExporterRow row, string name, string value, ICollection<string> warnings)
    {
        if (ExporterAttributeTable.Find(name) is not { } attribute)
        {
            var nearest = NearestName.Find(name, ExporterAttributeTable.Of(row.Format).Select(known => known.Name));
            warnings.Add($"The output '{row.Type}' has no attribute '{name}' that is known here{(nearest is null ? "" : $"; '{nearest}' may be meant")}. It is passed on as it is.");
            return value;
        }
        if ((attribute.Formats & row.Format) == 0)
            warnings.Add($"The attribute '{name}' has no effect on the output '{row.Type}' of {ExporterTable.Describe(row.Daemon)}.");
        switch (attribute.Type)
        {
            case ExporterAttributeType.Boolean when value.Length == 0:
                return "true"; // what BuildKit makes of push= and its like
            case ExporterAttributeType.Boolean when GoBoolean.Parse(value) is null:
            case ExporterAttributeType.Integer when !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
                throw OutputErrors.BadValue(row, attribute, value);
            case ExporterAttributeType.Enumeration when !attribute.Values.Contains(value):
                warnings.Add($"'{value}' is not known here as a value of {name}, which takes {string.Join(", ", attribute.Values)}. It is passed on as it is.");
                break;
        }
        return value;
    }

    private static void CheckPush(ExporterRow row, Dictionary<string, string> attributes)
    {
        if (!Pushes(row, attributes))
            return;
        if (attributes.GetValueOrDefault(Name, "").Length == 0)
            throw OutputErrors.PushNeedsTag(row);
        if (PushesByDigest(attributes) && row.Format != ExporterFormat.Image)
            throw OutputErrors.PushByDigest(row);
    }

    private static bool PushesByDigest(Dictionary<string, string> attributes) => GoBoolean.Parse(attributes.GetValueOrDefault("push-by-digest")) == true;

    private static string FullName(string tag, Dictionary<string, string> attributes)
    {
        const string DefaultTag = ":latest";
        var name = ImageReference.Normalize(tag);
        if (!PushesByDigest(attributes))
            return name;
        var written = tag[(tag.LastIndexOf('/') + 1)..].Contains(':', StringComparison.Ordinal);
        return written ? throw OutputErrors.PushByDigestTag(tag) : name[..^DefaultTag.Length];
    }
}
