using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Solve.Provenance;

/// <summary>A provenance predicate as the daemon recorded it.</summary>
internal sealed class ProvenancePredicate
{
    /// <summary>All URIs of provenance begin with this.</summary>
    public const string TypePrefix = "https://slsa.dev/provenance/";

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string Slsa1 = TypePrefix + "v1";

    /// <summary>Parses a predicate.</summary>
    /// <param name="platform">The platform of the result; null for a build with one alone.</param>
    /// <param name="predicateType">Its version, a URI.</param>
    /// <param name="json">Its text in UTF-8.</param>
    /// <exception cref="JsonException">It is no JSON object.</exception>
    public ProvenancePredicate(string? platform, string predicateType, ReadOnlyMemory<byte> json)
    {
        Platform = platform;
        PredicateType = predicateType;
        var root = Object(JsonNode.Parse(json.Span)) ?? throw new JsonException("it is no JSON object");
        Json = ProxyCredentials.Remove(root) ? root.ToJsonString(Relaxed) : Encoding.UTF8.GetString(json.Span);
        Slsa02 = predicateType == Slsa1 ? ToSlsa02(root) : root;
    }

    public string? Platform { get; }

    public string PredicateType { get; }

    /// <summary>The text as the daemon wrote it, but for the credentials of proxies.</summary>
    public string Json { get; }

    /// <summary>The predicate in the shape of version 0.2, into which buildx brings one of version 1 too (moby/buildkit solver/llbsolver/provenance/types). Not to be changed.</summary>
    public JsonObject Slsa02 { get; }

    private static JsonObject ToSlsa02(JsonObject root)
    {
        var definition = Object(root["buildDefinition"]);
        var external = Object(definition?["externalParameters"]);
        var source = Object(external?["configSource"]);
        var run = Object(root["runDetails"]);
        return NotNull(new()
        {
            ["builder"] = new JsonObject { ["id"] = Take(Object(run?["builder"]), "id") ?? "" },
            ["buildType"] = Take(definition, "buildType"),
            ["materials"] = definition?["resolvedDependencies"] is JsonArray materials ? new JsonArray(materials.Select(ToMaterial).ToArray()) : null,
            ["invocation"] = new JsonObject
            {
                ["configSource"] = NotNull(new() { ["uri"] = Take(source, "uri"), ["digest"] = Take(source, "digest"), ["entryPoint"] = Take(source, "path") }),
                ["parameters"] = Take(external, "request") ?? new JsonObject(),
                ["environment"] = ToEnvironment(Object(definition?["internalParameters"])),
            },
            ["buildConfig"] = Take(Object(definition?["internalParameters"]), "buildConfig"),
            ["metadata"] = ToMetadata(Object(run?["metadata"])),
        });
    }

    private static JsonNode? ToMaterial(JsonNode? dependency) =>
        NotNull(new() { ["uri"] = Take(Object(dependency), "uri"), ["digest"] = Take(Object(dependency), "digest") });

    // What a daemon was set up to add stands beside the platform (moby/buildkit ProvenanceCustomEnv).
    private static JsonObject ToEnvironment(JsonObject? parameters)
    {
        var environment = new JsonObject { ["platform"] = Take(parameters, "builderPlatform") ?? "" };
        foreach (var (name, value) in parameters ?? [])
            if (name is not ("builderPlatform" or "buildConfig"))
                environment[name] = value?.DeepClone();
        return environment;
    }

    private static JsonObject? ToMetadata(JsonObject? metadata)
    {
        if (metadata is null)
            return null;
        var complete = Object(metadata["buildkit_completeness"]);
        return NotNull(new()
        {
            // in-toto-golang wrote invocationID before it wrote invocationId.
            ["buildInvocationID"] = Take(metadata, "invocationId") ?? Take(metadata, "invocationID"),
            ["buildStartedOn"] = Take(metadata, "startedOn"),
            ["buildFinishedOn"] = Take(metadata, "finishedOn"),
            ["completeness"] = new JsonObject
            {
                ["parameters"] = Take(complete, "request") ?? false,
                ["environment"] = true,
                ["materials"] = Take(complete, "resolvedDependencies") ?? false,
            },
            ["reproducible"] = Take(metadata, "buildkit_reproducible") ?? false,
            ["https://mobyproject.org/buildkit@v1#metadata"] = Take(metadata, "buildkit_metadata") ?? new JsonObject(),
            ["https://mobyproject.org/buildkit@v1#hermetic"] = Take(metadata, "buildkit_hermetic"),
        });
    }

    private static JsonObject? Object(JsonNode? node) => node as JsonObject;

    private static JsonNode? Take(JsonObject? from, string name) => from?[name]?.DeepClone();

    private static JsonObject NotNull(JsonObject node)
    {
        foreach (var name in node.Where(member => member.Value is null).Select(member => member.Key).ToList())
            node.Remove(name);
        return node;
    }
}
