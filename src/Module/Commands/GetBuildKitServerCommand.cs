using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Tells what daemons are and can do. None is started.</summary>
[Cmdlet(VerbsCommon.Get, "BuildKitServer")]
[OutputType(typeof(BuildKitServer))]
public sealed class GetBuildKitServerCommand : BuilderCommandBase
{
    /// <inheritdoc/>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() =>
        RunOnNodes(static (connection, cancellationToken) => connection.GetServerAsync(cancellationToken), WriteObject);
}
