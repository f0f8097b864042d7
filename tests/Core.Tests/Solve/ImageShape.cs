using System.Formats.Tar;
using System.Text.Json;

namespace BuildKit.Tests.Solve;

/// <summary>What an OCI archive consists of, without what differs from build to build: digests and sizes.</summary>
internal static class ImageShape
{
    /// <summary>A line for every descriptor that can be reached from the index, each below the one that names it.</summary>
    public static async Task<List<string>> ReadAsync(string path)
    {
        var files = new Dictionary<string, byte[]>();
        await using var file = File.OpenRead(path);
        using var reader = new TarReader(file);
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            if (entry.DataStream is null)
                continue;
            using var content = new MemoryStream();
            await entry.DataStream.CopyToAsync(content);
            files[entry.Name] = content.ToArray();
        }
        var lines = new List<string>();
        Add(lines, files, files["index.json"], "");
        return lines;
    }

    private static void Add(List<string> lines, Dictionary<string, byte[]> files, byte[] json, string indent)
    {
        using var document = JsonDocument.Parse(json);
        var descriptors = new List<JsonElement>();
        if (document.RootElement.TryGetProperty("manifests", out var manifests))
            descriptors.AddRange(manifests.EnumerateArray());
        if (document.RootElement.TryGetProperty("config", out var config))
            descriptors.Add(config);
        if (document.RootElement.TryGetProperty("layers", out var layers))
            descriptors.AddRange(layers.EnumerateArray());
        foreach (var descriptor in descriptors)
        {
            var mediaType = descriptor.GetProperty("mediaType").GetString()!;
            var platform = descriptor.TryGetProperty("platform", out var found) ? found.GetRawText() : "";
            lines.Add($"{indent}{mediaType} {platform} {Annotations(descriptor, descriptors)}");
            if (mediaType.Contains("index", StringComparison.Ordinal) || mediaType.Contains("manifest", StringComparison.Ordinal))
                Add(lines, files, files["blobs/" + descriptor.GetProperty("digest").GetString()!.Replace(':', '/')], indent + "  ");
        }
    }

    // A digest is told by the place of the sibling that it refers to; the time of the build by its name alone.
    private static string Annotations(JsonElement descriptor, List<JsonElement> siblings)
    {
        if (!descriptor.TryGetProperty("annotations", out var annotations))
            return "";
        return string.Join(' ', annotations.EnumerateObject().OrderBy(annotation => annotation.Name, StringComparer.Ordinal).Select(annotation =>
        {
            var place = siblings.FindIndex(sibling => sibling.GetProperty("digest").GetString() == annotation.Value.GetString());
            var value = place >= 0 ? $"#{place}" : annotation.Name == "org.opencontainers.image.created" ? "" : annotation.Value.GetString();
            return $"{annotation.Name}={value}";
        }));
    }
}
