namespace BuildKit.Tests.Solve;

/// <summary>A build context in a directory of its own, on a memory file system where there is one with room.</summary>
internal sealed class BuildContextDirectory : IDisposable
{
    // A container's has 64 MB, unless it is told otherwise.
    private static readonly string Parent = Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").AvailableFreeSpace > 1 << 30 ? "/dev/shm" : System.IO.Path.GetTempPath();

    public BuildContextDirectory() => Path = Directory.CreateDirectory(System.IO.Path.Combine(Parent, $"buildkit-test-{Guid.NewGuid():N}")).FullName;

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
