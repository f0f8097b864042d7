using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Builders.Store;

/// <summary>A builder as buildx keeps it (docker/buildx store/nodegroup.go). Members that are not known here survive a write.</summary>
internal static class BuilderJson
{
    public const string InvalidId = "BuildKit.BuilderInvalid";

    public static JsonSerializerOptions Format { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static BuildKitBuilder Read(JsonObject json, string path)
    {
        try
        {
            return new BuildKitBuilder
            {
                Name = (string?)json["Name"] ?? Path.GetFileName(path),
                Driver = (string?)json["Driver"] ?? string.Empty,
                Nodes = Items(json["Nodes"]).Select(node => ReadNode(node!.AsObject()) with { Builder = (string?)json["Name"] ?? Path.GetFileName(path) }).ToList(),
            };
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException or ArgumentException)
        {
            throw Invalid(path, e);
        }
    }

    /// <param name="builder">The builder.</param>
    /// <param name="existing">What is in the store under its name, or null.</param>
    public static JsonObject Write(BuildKitBuilder builder, JsonObject? existing)
    {
        var json = existing?.DeepClone().AsObject() ?? [];
        var known = Items(json["Nodes"]).OfType<JsonObject>().DistinctBy(NodeName).ToDictionary(NodeName);
        json["Name"] = builder.Name;
        json["Driver"] = builder.Driver;
        json["Nodes"] = new JsonArray(builder.Nodes.Select(node => (JsonNode?)WriteNode(node, known.GetValueOrDefault(node.Name)?.DeepClone().AsObject())).ToArray());
        json["Dynamic"] ??= false;
        return json;
    }

    public static BuildKitException Invalid(string path, Exception exception) => new(
        InvalidId, BuildKitErrorCategory.InvalidArgument, $"The builder in '{path}' can't be read: {exception.Message}",
        "Remove the file, and create the builder anew.", exception)
    { Target = path };

    private static string NodeName(JsonObject node) => (string?)node["Name"] ?? string.Empty;

    private static BuildKitNode ReadNode(JsonObject json) => new()
    {
        Name = NodeName(json),
        Endpoint = (string?)json["Endpoint"] ?? string.Empty,
        Platforms = Items(json["Platforms"]).Select(platform => PlatformText(platform!.AsObject())).ToList(),
        DriverOptions = Pairs(json["DriverOpts"]).ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? string.Empty),
        BuildkitdFlags = Items(json["Flags"]).Select(flag => (string)flag!).ToList(),
        Files = Pairs(json["Files"]).ToDictionary(pair => pair.Key, pair => Convert.FromBase64String((string?)pair.Value ?? string.Empty)),
    };

    private static JsonObject WriteNode(BuildKitNode node, JsonObject? existing)
    {
        var json = existing ?? [];
        json["Name"] = node.Name;
        json["Endpoint"] = node.Endpoint;
        // What a platform holds beyond its text stays as long as the text does.
        var platforms = Items(json["Platforms"]).OfType<JsonObject>().Select(platform => platform.DeepClone().AsObject()).DistinctBy(PlatformText).ToDictionary(PlatformText);
        json["Platforms"] = node.Platforms.Count == 0
            ? null
            : new JsonArray(node.Platforms.Select(platform => (JsonNode?)(platforms.GetValueOrDefault(platform) ?? PlatformJson(platform))).ToArray());
        json["DriverOpts"] = new JsonObject(node.DriverOptions.Select(option => KeyValuePair.Create(option.Key, (JsonNode?)option.Value)));
        json["Flags"] = node.BuildkitdFlags.Count == 0 ? null : new JsonArray(node.BuildkitdFlags.Select(flag => (JsonNode?)flag).ToArray());
        json["Files"] = node.Files.Count == 0 ? null : new JsonObject(node.Files.Select(file => KeyValuePair.Create(file.Key, (JsonNode?)Convert.ToBase64String(file.Value))));
        return json;
    }

    private static string PlatformText(JsonObject platform)
    {
        var parts = new[] { (string?)platform["os"], (string?)platform["architecture"], (string?)platform["variant"] };
        return string.Join('/', parts.Where(part => !string.IsNullOrEmpty(part)));
    }

    private static JsonObject PlatformJson(string text)
    {
        var parts = text.Split('/');
        var json = new JsonObject { ["architecture"] = parts.ElementAtOrDefault(1) ?? string.Empty, ["os"] = parts[0] };
        if (parts.Length > 2)
            json["variant"] = parts[2];
        return json;
    }

    private static IEnumerable<JsonNode?> Items(JsonNode? node) => node?.AsArray() ?? Enumerable.Empty<JsonNode?>();

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Pairs(JsonNode? node) => node?.AsObject() ?? Enumerable.Empty<KeyValuePair<string, JsonNode?>>();
}
