using System.Globalization;
using BuildKit.Builders;

namespace BuildKit.Solve.Exporters;

/// <summary>
/// Several outputs of one build came with BuildKit 0.13, and an older one takes the first and says nothing of the others. The capability can be asked for
/// from within a build only, so here the versions decide: the Engine API's (BuildKit 0.13 came with 1.45, Docker 26) or a buildkitd's own, where it tells one.
/// </summary>
internal static class SeveralExports
{
    private static readonly Version FirstApiVersion = new(1, 45);
    private static readonly Version FirstVersion = new(0, 13);

    /// <summary>Throws where the daemon is known to be too old for several outputs.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.SeveralOutputsNotSupported</c>.</exception>
    public static async Task DemandAsync(BuildKitConnection connection, CancellationToken cancellationToken)
    {
        var isEngine = connection.Kind == BuildKitServerKind.DockerEngine;
        var version = isEngine ? connection.ApiVersion : (await connection.GetServerAsync(cancellationToken).ConfigureAwait(false)).Version;
        if (!IsOlder(version, isEngine ? FirstApiVersion : FirstVersion))
            return;
        throw new BuildKitException(
            "BuildKit.SeveralOutputsNotSupported", BuildKitErrorCategory.NotSupported,
            $"Several outputs were asked for, and this daemon ({(isEngine ? $"Engine API {version}" : $"BuildKit {version}")}) would give only the first.",
            "Ask for one output a build: the second build takes its steps from the cache. Several at once need BuildKit 0.13 or Docker Engine 26.");
    }

    /// <summary>Whether a version such as <c>v0.12.5-rc1</c> or <c>1.41</c> is below another; one that can't be read is not.</summary>
    internal static bool IsOlder(string? version, Version first)
    {
        var parts = (version ?? string.Empty).TrimStart('v').Split('.', 3);
        if (parts.Length < 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major))
            return false;
        var digits = new string(parts[1].TakeWhile(char.IsAsciiDigit).ToArray());
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
            return false;
        // "v0.0.0+unknown" is what an embedded BuildKit calls itself.
        return (major, minor) != (0, 0) && new Version(major, minor) < first;
    }
}
