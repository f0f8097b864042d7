using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Jobs;
using BuildKit.Module.Progress;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>Builds a Dockerfile.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "BuildKitSolve")]
[OutputType(typeof(BuildKitSolveResult), typeof(Job), typeof(byte[]))]
public sealed partial class InvokeBuildKitSolveCommand : BuilderCommandBase
{
    private List<SolveOutput> _outputs = [];
    private List<SolveSecret> _secrets = [];
    private ProgressMode _mode;
    private bool _contextIsArgument;
    private int _buildsToPipeline;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        // -ProgressAction, which PowerShell has from 7.4 on, comes before the variable.
        var preference = MyInvocation.BoundParameters.TryGetValue("ProgressAction", out var action) ? action : GetVariableValue("ProgressPreference");
        _mode = AsJob ? ProgressModeSelector.SelectForJob(Progress) : ProgressModeSelector.Select(Progress, Host, preference);
        _contextIsArgument = MyInvocation.BoundParameters.ContainsKey(nameof(Context));
        try
        {
            _outputs = OutputArgument.Read(SessionState, Output);
        }
        catch (BuildKitException e)
        {
            ThrowError(e, Output);
        }
        try
        {
            _secrets = SecretArgument.Read(SessionState, Secret);
        }
        catch (BuildKitException e)
        {
            // Not the argument, which may hold values.
            ThrowError(e, nameof(Secret));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!_contextIsArgument && ContextArgument.ReadBytes(Context) is { } bytes)
        {
            AddPiped(bytes);
            return;
        }
        object? result;
        try
        {
            RefuseMixedBytes();
            result = AsJob ? StartJob() : Build();
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Context);
            return;
        }
        WriteResult(result);
    }

    private SolveJob StartJob()
    {
        // The job closes it.
        var context = ContextArgument.Read(SessionState, Context);
        // Not the line that was typed: it may hold a secret.
        var command = string.Join(' ', ["Invoke-BuildKitSolve", context.Name, .. Tag.Take(1).Select(tag => $"-Tag {tag}")]);
        var job = new SolveJob(command, Prepare(context), _mode, Context, context);
        JobRepository.Add(job);
        job.Start();
        return job;
    }

    private BuildKitSolveResult Build()
    {
        using var context = ContextArgument.Read(SessionState, Context);
        var solve = Prepare(context);
        var display = CreateDisplay(context);
        try
        {
            return Run((pump, cancellationToken) => BuildAsync(solve, display, pump, cancellationToken), display.Refresh);
        }
        finally
        {
            // Of a pipeline that is being stopped the host takes nothing any more, and clears its bars itself.
            if (!Stopping)
                display.Complete();
        }
    }

    private async Task<BuildKitSolveResult> BuildAsync(PreparedSolve solve, SolveDisplay display, PipelinePump pump, CancellationToken cancellationToken)
    {
        await using var bytes = new PipelineStream(pump, chunk => WriteObject(chunk, enumerateCollection: false));
        return await solve.RunAsync(bytes, message => pump.Post(() => WriteVerbose(message)), new PostedProgress<SolveEvent>(pump, display.Show), cancellationToken).ConfigureAwait(false);
    }

    private PreparedSolve Prepare(ContextArgument context) => new(Unwrap(Builder), Unwrap(LoadInto), ToRequest(context));

    private SolveDisplay CreateDisplay(ContextArgument context) =>
        new(_mode, new CommandStreams(this), $"Building {(Tag.Length > 0 ? Tag[0] : context.Name)}");

    // Where the bytes go there is no place for an object.
    private void WriteResult(object? result)
    {
        if (!_outputs.Exists(PreparedSolve.IsToPipeline))
            WriteObject(result);
    }

    private void RefuseMixedBytes()
    {
        if (!_outputs.Exists(PreparedSolve.IsToPipeline))
            return;
        if (AsJob)
            throw new BuildKitException(
                "BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument, "The bytes of an output can't be received from a job.", "Give the output a file as dest, or leave out -AsJob.");
        if (++_buildsToPipeline > 1)
            throw new BuildKitException(
                "BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument, "The bytes of several builds would be mixed in the pipeline.",
                "Build one context a call with dest=-, or give the output a file as dest.");
    }

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}
