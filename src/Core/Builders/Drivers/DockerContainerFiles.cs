using System.Formats.Tar;

namespace BuildKit.Builders.Drivers;

/// <summary>A node's files as the archive that is unpacked at the root of its container (docker/buildx driver/docker-container/tar.go).</summary>
internal static class DockerContainerFiles
{
    /// <summary>Where the daemon's files lie.</summary>
    public const string Folder = "/etc/buildkit";

    private const UnixFileMode FolderMode = (UnixFileMode)0b111_101_101;
    private const UnixFileMode FileMode = (UnixFileMode)0b110_100_100;

    /// <summary>Refuses files that would lie outside of their folder or in each other's way.</summary>
    /// <param name="names">Paths below <see cref="Folder"/>.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderInvalid</c>.</exception>
    public static void Validate(IEnumerable<string> names)
    {
        var known = names.ToHashSet(StringComparer.Ordinal);
        foreach (var name in known)
        {
            if (name.Contains('\\', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal) || name.Split('/').Any(part => part is "" or "." or ".."))
                throw Invalid(name, $"it has to lie below {Folder}");
            if (Parents(name).FirstOrDefault(known.Contains) is { } file)
                throw Invalid(name, $"'{file}' is a file");
        }
    }

    /// <summary>The archive.</summary>
    /// <param name="files">Contents by their paths below <see cref="Folder"/>.</param>
    public static ReadOnlyMemory<byte> ToArchive(IReadOnlyDictionary<string, byte[]> files)
    {
        Validate(files.Keys);
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            var root = Folder.TrimStart('/');
            foreach (var folder in files.Keys.SelectMany(Parents).Append(string.Empty).Distinct().Order(StringComparer.Ordinal))
                writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, $"{root}/{folder}".TrimEnd('/') + "/") { Mode = FolderMode });
            foreach (var (name, content) in files)
            {
                using var data = new MemoryStream(content);
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{root}/{name}") { Mode = FileMode, DataStream = data });
            }
        }
        return archive.GetBuffer().AsMemory(0, (int)archive.Length);
    }

    private static IEnumerable<string> Parents(string name)
    {
        for (var slash = name.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = name.IndexOf('/', slash + 1))
            yield return name[..slash];
    }

    private static BuildKitException Invalid(string name, string why) => new(
        "BuildKit.BuilderInvalid", BuildKitErrorCategory.InvalidArgument, $"'{name}' can't be a file of a builder: {why}.", "Create the builder anew.")
    {
        Target = name,
    };
}
