namespace BuildKit.Tests.Solve;

/// <summary>A build context in a directory of its own, on a memory file system where there is one.</summary>
internal sealed class BuildContextDirectory : IDisposable
{
    public BuildContextDirectory()
    {
        var parent = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = Directory.CreateDirectory(System.IO.Path.Combine(parent, $"buildkit-test-{Guid.NewGuid():N}")).FullName;
    }

    public string Path { get; }

    /// <summary>The absolute path of a name within the directory; its parents are made.</summary>
    public string At(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    public BuildContextDirectory Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
