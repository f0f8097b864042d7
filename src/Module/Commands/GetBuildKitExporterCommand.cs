using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;
using BuildKit.Solve;
using BuildKit.Solve.Exporters;

namespace BuildKit.Module.Commands;

/// <summary>Lists the outputs of a daemon.</summary>
[Cmdlet(VerbsCommon.Get, "BuildKitExporter")]
[OutputType(typeof(BuildKitExporter))]
public sealed class GetBuildKitExporterCommand : BuilderCommandBase
{
    /// <summary>The types to list; wildcards are allowed.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(ExporterCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <summary>Whether the daemon is asked to do each of them.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => RunConnected(FindAsync, exporters => WriteObject(exporters, enumerateCollection: true));

    private async Task<IReadOnlyList<BuildKitExporter>> FindAsync(BuildKitConnection connection, CancellationToken cancellationToken)
    {
        var exporters = Name.SelectMany(name => Find(connection, name)).DistinctBy(exporter => (exporter.Name, exporter.Destination)).ToList();
        return Probe ? await ExporterProbe.RunAsync(connection, exporters, cancellationToken).ConfigureAwait(false) : exporters;
    }

    private static IEnumerable<BuildKitExporter> Find(BuildKitConnection connection, string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
            return BuildKitExporter.List(connection, name);
        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        return BuildKitExporter.List(connection).Where(exporter => pattern.IsMatch(exporter.Name));
    }
}
