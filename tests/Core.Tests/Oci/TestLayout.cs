using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BuildKit.Oci;
using BuildKit.Tests.Session.FileSend;

namespace BuildKit.Tests.Oci;

/// <summary>A layout made by hand, for what no tool would write.</summary>
internal sealed class TestLayout : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public TestLayout() => File.WriteAllText(_directory["oci-layout"], """{"imageLayoutVersion":"1.0.0"}""");

    public string Path => _directory.Path;

    public string IndexPath => this["index.json"];

    public string this[string name] => _directory[name];

    public string BlobPath(OciDescriptor blob) => this[$"blobs/{blob.Digest.Algorithm}/{blob.Digest.Hex}"];

    public static OciDescriptor Describe(byte[] content, string mediaType) =>
        OciDescriptor.Create(mediaType, OciDigest.FromHash(HashAlgorithmName.SHA256, SHA256.HashData(content)), content.Length);

    public OciDescriptor AddBlob(string content, string mediaType) => AddBlob(Encoding.UTF8.GetBytes(content), mediaType);

    public OciDescriptor AddBlob(byte[] content, string mediaType)
    {
        var blob = Describe(content, mediaType);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(BlobPath(blob))!);
        File.WriteAllBytes(BlobPath(blob), content);
        return blob;
    }

    /// <summary>An image with one layer.</summary>
    public OciDescriptor AddImage(string content, string architecture = "amd64", OciDescriptor? subject = null)
    {
        var layer = AddBlob(content, "application/vnd.oci.image.layer.v1.tar");
        var config = AddBlob($$$"""{"architecture":"{{{architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":["{{{layer.Digest}}}"]}}""", OciMediaType.Config);
        var about = subject is null ? "" : $",\"subject\":{subject}";
        return AddBlob($$$"""{"schemaVersion":2,"mediaType":"{{{OciMediaType.Manifest}}}","config":{{{config}}},"layers":[{{{layer}}}]{{{about}}}}""", OciMediaType.Manifest);
    }

    public OciDescriptor AddIndex(params OciDescriptor[] manifests) => AddBlob(IndexText(manifests), OciMediaType.Index);

    public void WriteIndex(params OciDescriptor[] manifests) => File.WriteAllText(IndexPath, IndexText(manifests));

    public static string IndexText(params OciDescriptor[] manifests) =>
        $$$"""{"schemaVersion":2,"mediaType":"{{{OciMediaType.Index}}}","manifests":[{{{string.Join(',', manifests.Select(manifest => manifest.ToString()))}}}]}""";

    public static OciDescriptor WithPlatform(OciDescriptor blob, string architecture)
    {
        var json = JsonNode.Parse(blob.ToString())!;
        json["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        return OciDescriptor.Parse(JsonSerializer.SerializeToUtf8Bytes(json));
    }

    public static OciDescriptor Named(OciDescriptor blob, string imageName) => blob.With(imageName, OciImageName.FromImage(imageName).RefName);

    /// <summary>Everything in it as a tar archive.</summary>
    public string Pack(string name, TarEntryFormat format = TarEntryFormat.Ustar, string prefix = "", Action<TarWriter>? more = null)
    {
        var path = this[name];
        using var file = File.Create(path);
        using var writer = new TarWriter(file, format);
        foreach (var entry in _directory.List().Where(entry => entry != name))
        {
            if (File.Exists(this[entry]))
                writer.WriteEntry(this[entry], prefix + entry);
        }
        more?.Invoke(writer);
        return path;
    }

    public void Dispose() => _directory.Dispose();
}
