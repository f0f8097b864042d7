using System.Text;
using System.Text.RegularExpressions;

namespace BuildKit.Builders.Drivers;

/// <summary>The config of a builder's buildkitd, with the registries' certificates that it names (docker/buildx util/confutil).</summary>
internal static partial class BuildkitdConfigFiles
{
    /// <summary>What the config is called among a node's files.</summary>
    public const string ConfigFile = "buildkitd.toml";

    private const string DefaultFile = "buildkitd.default.toml";

    /// <summary>The config that is taken where none is named.</summary>
    /// <param name="storeDirectory">buildx's folder.</param>
    /// <returns>Its path; null where there is none.</returns>
    public static string? FindDefault(string storeDirectory)
    {
        var path = Path.Combine(storeDirectory, DefaultFile);
        return File.Exists(path) ? path : null;
    }

    /// <summary>Reads a config and what it names.</summary>
    /// <param name="path">The config, with a name of any kind. Relative paths in it are meant from its folder.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>
    /// Files by their paths below <c>/etc/buildkit</c>: <c>buildkitd.toml</c>, in which the paths of certificates and keys are changed and nothing else, and
    /// <c>certs/HOST/FILE</c>.
    /// </returns>
    /// <exception cref="BuildKitException"><c>BuildKit.BuildkitdConfigNotFound</c>, <c>BuildKit.BuildkitdConfigUnreadable</c>, <c>BuildKit.BuildkitdConfigInvalid</c>.</exception>
    public static async Task<IReadOnlyDictionary<string, byte[]>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var config = Encoding.UTF8.GetString(await ReadFileAsync(path, "The buildkitd config", cancellationToken).ConfigureAwait(false)).TrimStart('\uFEFF');
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var text = new StringBuilder();
        var copied = 0;
        foreach (var named in Strings(config, path).Where(IsCertificate))
        {
            var source = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, named.Value);
            var content = await ReadFileAsync(source, $"What '{path}' names for the registry '{named.Path[1]}'", cancellationToken).ConfigureAwait(false);
            var target = Add(files, $"certs/{NotForFolders().Replace(named.Path[1], "_")}", Path.GetFileName(source), content);
            text.Append(config, copied, named.Start - copied).Append(Quoted($"{DockerContainerFiles.Folder}/{target}"));
            copied = named.End;
        }
        text.Append(config, copied, config.Length - copied);
        files[ConfigFile] = Encoding.UTF8.GetBytes(text.ToString());
        return files;
    }

    private static IReadOnlyList<TomlString> Strings(string config, string path)
    {
        try
        {
            return TomlStrings.Find(config);
        }
        catch (FormatException exception)
        {
            throw new BuildKitException(
                "BuildKit.BuildkitdConfigInvalid", BuildKitErrorCategory.InvalidArgument, $"The buildkitd config '{path}' is not right: {exception.Message}.",
                "Correct that line.", exception)
            { Target = path };
        }
    }

    // [registry."HOST"] ca = ["…"], and [[registry."HOST".keypair]] key = "…", cert = "…"
    private static bool IsCertificate(TomlString text) =>
        text.Value.Length > 0 && text.Path is ["registry", _, "ca", TomlStrings.Item] or ["registry", _, "keypair", TomlStrings.Item, "key" or "cert"];

    /// <summary>Files of one name from several folders stay apart.</summary>
    private static string Add(Dictionary<string, byte[]> files, string folder, string name, byte[] content)
    {
        var target = $"{folder}/{name}";
        for (var number = 2; files.TryGetValue(target, out var other) && !other.AsSpan().SequenceEqual(content); number++)
            target = $"{folder}/{number}-{name}";
        files[target] = content;
        return target;
    }

    private static string Quoted(string path) => $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static async Task<byte[]> ReadFileAsync(string path, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BuildKitException(
                "BuildKit.BuildkitdConfigNotFound", BuildKitErrorCategory.NotFound, $"{what}, '{path}', does not exist.", "Check the path.", exception)
            { Target = path };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BuildKitException(
                "BuildKit.BuildkitdConfigUnreadable", BuildKitErrorCategory.PermissionDenied, $"{what}, '{path}', can't be read: {exception.Message}",
                "Check that it is a file that you may read.", exception)
            { Target = path };
        }
    }

    [GeneratedRegex("[^a-zA-Z0-9.-]+")]
    private static partial Regex NotForFolders();
}
