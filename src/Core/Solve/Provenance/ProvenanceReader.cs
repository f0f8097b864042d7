using System.Globalization;
using System.Text.Json.Nodes;

namespace BuildKit.Solve.Provenance;

/// <summary>Makes a <see cref="BuildKitProvenance"/> of a predicate.</summary>
internal static class ProvenanceReader
{
    /// <summary>Reads a predicate; what is missing in it, or of another type than it should be, is left out.</summary>
    public static BuildKitProvenance Read(ProvenancePredicate predicate)
    {
        var root = predicate.Slsa02;
        var invocation = root["invocation"] as JsonObject;
        var source = invocation?["configSource"] as JsonObject;
        var parameters = invocation?["parameters"] as JsonObject;
        var metadata = root["metadata"] as JsonObject;
        return new BuildKitProvenance
        {
            Platform = predicate.Platform,
            PredicateType = predicate.PredicateType,
            BuildType = Text(root, "buildType") ?? string.Empty,
            BuilderId = Text(root["builder"], "id"),
            BuilderPlatform = Text(invocation?["environment"], "platform"),
            Materials = Items(root["materials"]).Select(item => new ProvenanceMaterial(Text(item, "uri") ?? string.Empty, Digest(item))).ToList(),
            ConfigSource = new ProvenanceConfigSource(Text(source, "uri"), Digest(source), Text(source, "entryPoint")),
            Parameters = new ProvenanceParameters
            {
                Frontend = Text(parameters, "frontend"),
                Args = Table(parameters?["args"]),
                Locals = Names(parameters, "locals", "name"),
                Secrets = Names(parameters, "secrets", "id"),
                Ssh = Names(parameters, "ssh", "id"),
            },
            Metadata = metadata is null ? null : new ProvenanceMetadata
            {
                InvocationId = Text(metadata, "buildInvocationID"),
                Started = Time(metadata, "buildStartedOn"),
                Finished = Time(metadata, "buildFinishedOn"),
                ParametersComplete = Flag(metadata["completeness"], "parameters"),
                MaterialsComplete = Flag(metadata["completeness"], "materials"),
                Reproducible = Flag(metadata, "reproducible"),
                Hermetic = Flag(metadata, "https://mobyproject.org/buildkit@v1#hermetic"),
            },
            Vcs = Table((metadata?["https://mobyproject.org/buildkit@v1#metadata"] as JsonObject)?["vcs"]),
            Json = predicate.Json,
        };
    }

    private static List<string> Names(JsonObject? parameters, string list, string member) =>
        Items(parameters?[list]).Select(item => Text(item, member)).OfType<string>().ToList();

    private static IEnumerable<JsonNode?> Items(JsonNode? node) => node as JsonArray ?? [];

    private static Dictionary<string, string> Table(JsonNode? node) =>
        (node as JsonObject ?? []).Where(member => Text(member.Value) is not null).ToDictionary(member => member.Key, member => Text(member.Value)!);

    private static string? Digest(JsonNode? of) =>
        Table((of as JsonObject)?["digest"]).Select(member => $"{member.Key}:{member.Value}").FirstOrDefault();

    private static DateTimeOffset? Time(JsonNode? of, string name) =>
        DateTimeOffset.TryParse(Text(of, name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static bool Flag(JsonNode? of, string name) => (of as JsonObject)?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    private static string? Text(JsonNode? of, string name) => Text((of as JsonObject)?[name]) is { Length: > 0 } text ? text : null;

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
