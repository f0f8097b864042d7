using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that starts or stops builders.</summary>
public abstract class BuilderRunCommandBase : BuilderNameCommandBase
{
    /// <summary>The builders; wildcards are allowed.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    /// <summary>Whether the builders are returned.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>What is done, for <c>-WhatIf</c>.</summary>
    private protected abstract string Action { get; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var builder in Find(Name, static builder => builder.OwnsDaemon))
        {
            if (!ShouldProcess(builder.Name, Action))
                continue;
            Report(builder.Name, (pump, cancellationToken) => RunAsync(builder, pump, cancellationToken), after =>
            {
                if (PassThru)
                    WriteObject(after);
            });
        }
    }

    /// <summary>Does it.</summary>
    /// <returns>The builder as it is then.</returns>
    private protected abstract Task<BuildKitBuilder> RunAsync(BuildKitBuilder builder, PipelinePump pump, CancellationToken cancellationToken);
}
