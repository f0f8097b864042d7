using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using BuildKit.Solve.Progress;
using BuildKit.Solve.Provenance;

namespace BuildKit.Solve;

/// <summary>The file of <c>docker buildx build --metadata-file</c> (docker/buildx commands/build.go, build/provenance.go).</summary>
internal static class MetadataFile
{
    private const string ProvenanceKey = "buildx.build.provenance";
    private const string BuildType02 = "https://mobyproject.org/buildkit@v1";

    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file's text in UTF-8: an object, its names sorted.</summary>
    /// <param name="response">What the exporters returned; values that are JSON in base64 become objects.</param>
    /// <param name="buildRef">See <see cref="BuildRef"/>; null leaves it out.</param>
    /// <param name="provenance">The predicates that the daemon recorded.</param>
    /// <param name="warnings">The warnings, each once.</param>
    /// <param name="settings">What of these is wanted.</param>
    public static byte[] Format(
        IReadOnlyDictionary<string, string> response, string? buildRef, IReadOnlyList<ProvenancePredicate> provenance, IReadOnlyList<SolveVertexWarning> warnings,
        MetadataSettings settings)
    {
        var members = new SortedDictionary<string, Action<Utf8JsonWriter>>(StringComparer.Ordinal);
        foreach (var (name, value) in response)
            members[name] = Decode(name, value) is { } element ? element.WriteTo : writer => writer.WriteStringValue(value);
        if (buildRef is not null)
            members["buildx.build.ref"] = writer => writer.WriteStringValue(buildRef);
        if (settings.Provenance != MetadataProvenance.None)
            foreach (var predicate in provenance)
                members[predicate.Platform is null ? ProvenanceKey : $"{ProvenanceKey}/{predicate.Platform}"] = writer => Write(writer, predicate, settings.Provenance);
        if (settings.Warnings && warnings.Count > 0)
            members["buildx.build.warnings"] = writer => RawJson.WriteWarnings(writer, warnings, withDefinition: false);

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Options))
        {
            writer.WriteStartObject();
            foreach (var (name, write) in members)
            {
                writer.WritePropertyName(name);
                write(writer);
            }
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>
    /// How buildx names a build: <c>BUILDER/NODE/REF</c>. The builder of a docker context has one node of the same name; a plain address is docker's <c>default</c>.
    /// </summary>
    public static string BuildRef(string builder, string? node, string solveRef)
    {
        var name = builder.Contains('/', StringComparison.Ordinal) ? "default" : builder;
        return $"{name}/{node ?? name}/{solveRef}";
    }

    private static void Write(Utf8JsonWriter writer, ProvenancePredicate predicate, MetadataProvenance mode)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in predicate.Slsa02)
        {
            if (mode == MetadataProvenance.Min && name is "buildConfig" or "metadata")
                continue;
            writer.WritePropertyName(name);
            if (name == "buildType")
                writer.WriteStringValue(BuildType02);
            else if (value is null)
                writer.WriteNullValue();
            else
                value.WriteTo(writer);
        }
        writer.WriteEndObject();
    }

    // A subrequest's result is JSON as it is; the exporters' objects are in base64.
    private static JsonElement? Decode(string name, string value)
    {
        var bytes = new byte[value.Length];
        ReadOnlyMemory<byte> json;
        if (name == "result.json")
            json = Encoding.UTF8.GetBytes(value);
        else if (Convert.TryFromBase64String(value, bytes, out var length))
            json = bytes.AsMemory(0, length);
        else
            return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            return IsObject(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsObject(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Any(),
        JsonValueKind.Array => element.GetArrayLength() > 0 && element.EnumerateArray().All(item => item.ValueKind is JsonValueKind.Object or JsonValueKind.Null),
        _ => false,
    };
}
