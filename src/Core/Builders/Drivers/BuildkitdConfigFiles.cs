namespace BuildKit.Builders.Drivers;

/// <summary>The configuration of a node's buildkitd, as it is copied into its container.</summary>
internal static class BuildkitdConfigFiles
{
    /// <summary>Reads it.</summary>
    /// <param name="path">The path of a <c>buildkitd.toml</c>.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The files, by their paths below <c>/etc/buildkit</c>.</returns>
    public static async Task<IReadOnlyDictionary<string, byte[]>> ReadAsync(string path, CancellationToken cancellationToken) =>
        new Dictionary<string, byte[]> { ["buildkitd.toml"] = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false) };
}
