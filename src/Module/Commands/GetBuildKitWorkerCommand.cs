using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Lists the workers of a daemon.</summary>
[Cmdlet(VerbsCommon.Get, "BuildKitWorker")]
[OutputType(typeof(BuildKitWorker))]
public sealed class GetBuildKitWorkerCommand : BuilderCommandBase
{
    /// <inheritdoc/>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => RunOnNodes(
        static (connection, cancellationToken) => connection.GetWorkersAsync(cancellationToken),
        workers => WriteObject(workers, enumerateCollection: true));
}
