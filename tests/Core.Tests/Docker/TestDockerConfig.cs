using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Tests.Docker;

/// <summary>A docker config folder in which tests write what the docker CLI would.</summary>
internal sealed class TestDockerConfig : IDisposable
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("buildkit-config-");

    public string Directory => _directory.FullName;

    public void WriteConfig(string json) => File.WriteAllText(Path.Combine(Directory, "config.json"), json);

    public string MetaPath(string name) => Path.Combine(Directory, "contexts", "meta", Id(name), "meta.json");

    public void WriteContext(string name, string json)
    {
        _directory.CreateSubdirectory(Path.Combine("contexts", "meta", Id(name)));
        File.WriteAllText(MetaPath(name), json);
    }

    public string WriteTls(string name, string file)
    {
        var folder = _directory.CreateSubdirectory(Path.Combine("contexts", "tls", Id(name), "docker"));
        var path = Path.Combine(folder.FullName, file);
        File.WriteAllText(path, "-");
        return path;
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static string Id(string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))).ToLowerInvariant();
}
