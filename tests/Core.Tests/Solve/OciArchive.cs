using System.Formats.Tar;
using System.Text.Json;
using BuildKit.Solve;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve;

/// <summary>An OCI archive that a build wrote.</summary>
internal sealed class OciArchive : IDisposable
{
    private readonly BuildContextDirectory _directory = new();
    private readonly Dictionary<string, byte[]> _files = [];

    public SolveOutput Output => new() { Type = "oci", Destination = _directory.At("image.tar") };

    /// <summary>Builds into an archive and reads it.</summary>
    public static async Task<OciArchive> BuildAsync(TestEngine engine, string dockerfile, Func<SolveRequest, SolveRequest>? options = null)
    {
        var archive = new OciArchive();
        try
        {
            await OptionBuilds.BuildAsync(engine, dockerfile, request => (options?.Invoke(request) ?? request) with { Outputs = [archive.Output] });
            using var reader = new TarReader(File.OpenRead(archive.Output.Destination!));
            while (await reader.GetNextEntryAsync() is { } entry)
            {
                if (entry.DataStream is null)
                    continue;
                using var content = new MemoryStream();
                await entry.DataStream.CopyToAsync(content);
                archive._files[entry.Name] = content.ToArray();
            }
            return archive;
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    public JsonElement Index => Json("index.json");

    /// <summary>What a descriptor points to.</summary>
    public JsonElement Follow(JsonElement descriptor) => Json("blobs/" + descriptor.GetProperty("digest").GetString()!.Replace(':', '/'));

    /// <summary>The image's own index, or its manifest where it has none.</summary>
    public JsonElement Root => Follow(Index.GetProperty("manifests")[0]);

    /// <summary>The descriptors of the image's index.</summary>
    public IEnumerable<JsonElement> Manifests => Root.GetProperty("manifests").EnumerateArray();

    /// <summary>The predicates of all attestations, by type.</summary>
    public Dictionary<string, JsonElement> Attestations => Manifests
        .Where(descriptor => Annotation(descriptor, "vnd.docker.reference.type") == "attestation-manifest")
        .SelectMany(descriptor => Follow(descriptor).GetProperty("layers").EnumerateArray())
        .ToDictionary(layer => Annotation(layer, "in-toto.io/predicate-type")!, layer => Follow(layer).GetProperty("predicate"));

    public static string? Annotation(JsonElement element, string name) =>
        element.TryGetProperty("annotations", out var annotations) && annotations.TryGetProperty(name, out var value) ? value.GetString() : null;

    public void Dispose() => _directory.Dispose();

    private JsonElement Json(string name) => JsonDocument.Parse(_files[name]).RootElement;
}
