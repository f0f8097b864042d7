using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Closes connections: the ones that are given, or all that are open. A later call opens what it needs again.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "BuildKit")]
public sealed class DisconnectBuildKitCommand : BuildKitCommandBase
{
    /// <summary>A connection, or its name or address; or a builder, a node or a server, to which it was made.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public object? Builder { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var builder = PSValue.Unwrap(Builder);
            var connections = builder is null ? null : ConnectionPool.Find(builder);
            if (connections is { Count: 0 })
                throw NotConnected(builder!.ToString());
            Run(async (_, _) =>
            {
                await (connections is null ? ConnectionPool.CloseAllAsync() : ConnectionPool.CloseAsync(connections)).ConfigureAwait(false);
                return true;
            });
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Builder);
        }
    }

    private static BuildKitException NotConnected(string? name) => new(
        "BuildKit.NotConnected", BuildKitErrorCategory.NotFound, $"There is no open connection '{name}'.",
        "Give a connection that Connect-BuildKit returned, its name or its address.")
    {
        Target = name,
    };
}
