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
    protected override void ProcessRecord()
    {
        var builder = Builder is PSObject wrapped ? wrapped.BaseObject : Builder;
        var isPattern = builder is string name && WildcardPattern.ContainsWildcardCharacters(name) && !name.Contains("://", StringComparison.Ordinal);
        IReadOnlyList<Answer> answers;
        try
        {
            answers = Run((pump, cancellationToken) => isPattern
                ? AskMatchingAsync((string)builder!, pump, cancellationToken)
                : AskAsync(builder, null, pump, cancellationToken));
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Builder);
            return;
        }
        foreach (var answer in answers)
        {
            if (answer.Server is not null)
                WriteObject(answer.Server);
            else if (isPattern && answer.Error is { ErrorId: "BuildKit.BuilderNotRunning" })
                WriteVerbose(answer.Error.Message);
            else
                WriteError(answer.Error!, Builder);
        }
    }

    /// <summary>Asks all builders that match, at once.</summary>
    private async Task<IReadOnlyList<Answer>> AskMatchingAsync(string name, PipelinePump pump, CancellationToken cancellationToken)
    {
        var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
        var manager = new BuilderManager();
        var builders = (await manager.ListAsync(cancellationToken).ConfigureAwait(false)).Where(builder => pattern.IsMatch(builder.Name));
        var answers = await Task.WhenAll(builders.Select(async builder =>
        {
            try
            {
                return await AskAsync(builder, manager.StatusTimeout, pump, cancellationToken).ConfigureAwait(false);
            }
            catch (BuildKitException e)
            {
                return [new Answer(null, e)];
            }
        })).ConfigureAwait(false);
        return answers.SelectMany(answer => answer).ToList();
    }

    /// <summary>Asks all nodes of a builder, at once; what one can't answer does not keep back what the others can.</summary>
    private async Task<IReadOnlyList<Answer>> AskAsync(object? builder, TimeSpan? timeout, PipelinePump pump, CancellationToken cancellationToken)
    {
        if (builder is BuildKitConnection connection)
            return [new Answer(await connection.GetServerAsync(cancellationToken).ConfigureAwait(false), null)];
        var target = await ConnectionPool.FindAsync(builder, cancellationToken).ConfigureAwait(false);
        return await Task.WhenAll(target.Nodes.Select(async node =>
        {
            var endpoint = node.Endpoint.WithoutBoot();
            if (timeout is { } limit)
                endpoint = endpoint with { ConnectTimeout = limit };
            try
            {
                var open = await ConnectionPool.ConnectAsync((object)endpoint, message => pump.Post(() => WriteVerbose(message)), cancellationToken).ConfigureAwait(false);
                return new Answer(await open.GetServerAsync(cancellationToken).ConfigureAwait(false), null);
            }
            catch (BuildKitException e)
            {
                return new Answer(null, e);
            }
        })).ConfigureAwait(false);
    }

    private sealed record Answer(BuildKitServer? Server, BuildKitException? Error);
}
