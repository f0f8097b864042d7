using System.Text.RegularExpressions;

namespace BuildKit.Solve.Exporters;

/// <summary>What <see cref="ExporterTable"/> knows to say about a daemon's own refusals.</summary>
internal static class ExporterAdvice
{
    private const string NotOnEngine =
        "An Engine unpacks what it builds, one from 29.1 on not with unpack=false. Write -Output type=oci with this attribute to a file and load that, or build with a standalone buildkitd.";

    /// <summary>An exporter that the daemon does not have: what it has, and the way to what was meant.</summary>
    public static string ForMissing(Match match, DaemonStore daemon)
    {
        var asked = match.Groups["exporter"].Value;
        var has = ExporterTable.Rows.Where(row => row.Daemon == daemon && row.Supported).Select(row => row.Type).Distinct();
        var wayOut = ExporterTable.Find(asked, daemon).Select(row => row.WayOut).FirstOrDefault(text => text is not null);
        return $"{Capitalize(ExporterTable.Describe(daemon))} has: {string.Join(", ", has)}; Get-BuildKitExporter -Probe shows what this one really has.{(wayOut is null ? "" : $" For '{asked}': {wayOut}")}";
    }

    /// <summary>Attributes that exclude each other.</summary>
    public static string ForConflict(Match match, DaemonStore daemon)
    {
        string[] options = [match.Groups["option"].Value, match.Groups["other"].Value];
        return daemon == DaemonStore.EngineContainerd && options.Contains("unpack") ? NotOnEngine : $"Leave out {options[0]}, or change {options[1]}.";
    }

    /// <summary>A value that an attribute does not take.</summary>
    public static string? ForValue(Match match, DaemonStore daemon)
    {
        var attribute = ExporterAttributeTable.Find(match.Groups["attribute"].Value);
        return attribute?.Type switch
        {
            ExporterAttributeType.Boolean => $"{attribute.Name} is true or false.",
            ExporterAttributeType.Integer => $"{attribute.Name} is a whole number.",
            ExporterAttributeType.Enumeration => $"{attribute.Name} is one of {string.Join(", ", attribute.Values)}; older daemons may know fewer.",
            _ => null,
        };
    }

    /// <summary>Several platforms, where only one fits in.</summary>
    public static string? ForPlatforms(Match match, DaemonStore daemon) => daemon == DaemonStore.EngineGraphdriver ? ExporterTable.ContainerdStoreWayOut : null;

    /// <summary>A kind of cache that the daemon does not have (moby builder-next/controller.go).</summary>
    public static string ForCache(Match match, DaemonStore daemon) => daemon switch
    {
        DaemonStore.EngineGraphdriver => $"An Engine's classic image store exports type=inline alone. {ExporterTable.ContainerdStoreWayOut}",
        DaemonStore.EngineContainerd => "This Engine has inline, local, registry and gha; for others build with a standalone buildkitd.",
        _ => "Choose another type, or a newer BuildKit.",
    };

    /// <summary>A registry without TLS.</summary>
    public static string ForPlainHttp(Match match, DaemonStore daemon) => daemon is DaemonStore.EngineGraphdriver or DaemonStore.EngineContainerd
        ? "Name it in the Engine's \"insecure-registries\" (daemon.json)."
        : "Add registry.insecure=true to the -Output, or http = true for it to buildkitd.toml.";

    private static string Capitalize(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
