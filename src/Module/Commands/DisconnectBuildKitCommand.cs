using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Closes connections: the ones that are given, or all that are open. A later call opens what it needs again.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "BuildKit")]
public sealed class DisconnectBuildKitCommand : BuildKitCommandBase
{
    /// <summary>A connection, or its name or address.</summary>
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
            var builder = Builder is PSObject wrapped ? wrapped.BaseObject : Builder;
            var connection = builder as BuildKitConnection;
            if (connection is null && builder?.ToString() is { } name)
                connection = ConnectionPool.Find(name) ?? throw NotConnected(name);
            Run(async (_, _) =>
            {
                await (connection is null ? ConnectionPool.CloseAllAsync() : ConnectionPool.CloseAsync(connection)).ConfigureAwait(false);
                return true;
            });
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Builder);
        }
    }

    private static BuildKitException NotConnected(string name) => new(
        "BuildKit.NotConnected", BuildKitErrorCategory.NotFound, $"There is no open connection '{name}'.",
        "Give a connection that Connect-BuildKit returned, its name or its address.")
    {
        Target = name,
    };
}
