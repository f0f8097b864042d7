using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Removes builders, or a node of one.</summary>
[Cmdlet(VerbsCommon.Remove, "BuildKitBuilder", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
public sealed class RemoveBuildKitBuilderCommand : BuilderNameCommandBase
{
    // Somebody else's daemon that is slow must not be taken for one that does not run.
    private static readonly TimeSpan StatusTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The builders; wildcards are allowed.</summary>
    [Parameter(ParameterSetName = "Name", Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>The node to remove instead of the whole builder.</summary>
    [Parameter(ParameterSetName = "Name")]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? NodeName { get; set; }

    /// <summary>Whether all builders go of which no node runs.</summary>
    [Parameter(ParameterSetName = "AllInactive", Mandatory = true)]
    public SwitchParameter AllInactive { get; set; }

    /// <summary>Whether the cache stays.</summary>
    [Parameter]
    public SwitchParameter KeepState { get; set; }

    /// <summary>Whether the daemons stay.</summary>
    [Parameter]
    public SwitchParameter KeepDaemon { get; set; }

    /// <summary>Whether builders are removed from the store even where their daemons can't be, and without a question.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var builders = AllInactive ? FindInactive() : Find(Name, static builder => !builder.IsDockerContext);
        var (yesToAll, noToAll) = (false, false);
        foreach (var builder in builders)
        {
            if (!ShouldProcess(NodeName is null ? builder.Name : $"{builder.Name}, node {NodeName}", "Remove the builder"))
                continue;
            if (AllInactive && !Force && !ShouldContinue($"Remove the builder '{builder.Name}', of which no node runs?", "Remove inactive builders", ref yesToAll, ref noToAll))
                continue;
            Report(builder.Name, (_, cancellationToken) => RemoveAsync(builder, cancellationToken), left =>
            {
                if (left is not null)
                    WriteWarning($"The builder '{builder.Name}' is forgotten, but what it ran may still be there. {left}");
            });
        }
    }

    private IReadOnlyList<BuildKitBuilder> FindInactive()
    {
        IReadOnlyList<BuildKitBuilder> inactive = [];
        Report(null, async (_, cancellationToken) =>
        {
            var stored = (await Builders.ListAsync(cancellationToken).ConfigureAwait(false)).Where(builder => !builder.IsDockerContext);
            return await InspectAsync(stored, StatusTimeout, cancellationToken).ConfigureAwait(false);
        }, builders => inactive = builders.Where(builder => builder.IsInactive).ToList());
        return inactive;
    }

    private async Task<string?> RemoveAsync(BuildKitBuilder builder, CancellationToken cancellationToken)
    {
        var options = new BuilderRemoveOptions { KeepState = KeepState, KeepDaemon = KeepDaemon, Force = Force };
        var left = NodeName is not null
            ? await Builders.RemoveNodeAsync(builder, NodeName, options, cancellationToken).ConfigureAwait(false)
            : await Builders.RemoveAsync(builder, options, cancellationToken).ConfigureAwait(false);
        if (NodeName is null && builder.Name.Equals(EndpointResolver.SessionBuilder, StringComparison.OrdinalIgnoreCase))
            EndpointResolver.SessionBuilder = null;
        await ConnectionPool.CloseAsync(builder, NodeName).ConfigureAwait(false);
        return left;
    }
}
