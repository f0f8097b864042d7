using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Jobs;
using BuildKit.Module.Progress;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>Builds a Dockerfile.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "BuildKitSolve", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitSolveResult), typeof(Job), typeof(byte[]))]
public sealed partial class InvokeBuildKitSolveCommand : BuilderCommandBase
{
    private List<SolveOutput> _outputs = [];
    private List<SolveSecret>? _secrets;
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

    private SolveJob? StartJob()
    {
        var context = ContextArgument.Read(SessionState, Context);
        SolveJob? job = null;
        try
        {
            if (Prepare(context) is not { } solve)
                return null;
            // Not the line that was typed: it may hold a secret.
            var command = string.Join(' ', ["Invoke-BuildKitSolve", context.Name, .. Tag.Take(1).Select(tag => $"-Tag {tag}")]);
            job = new SolveJob(command, solve, _mode, Context, context);
        }
        finally
        {
            // The job closes it, where there is one.
            if (job is null)
                context.Dispose();
        }
        JobRepository.Add(job);
        job.Start();
        return job;
    }

    private BuildKitSolveResult? Build()
    {
        using var context = ContextArgument.Read(SessionState, Context);
        if (Prepare(context) is not { } solve)
            return null;
        var display = CreateDisplay(context);
        return RunShown((pump, cancellationToken) => BuildAsync(solve, display, pump, cancellationToken), display.Refresh, display.Complete);
    }

    private async Task<BuildKitSolveResult> BuildAsync(PreparedSolve solve, SolveDisplay display, PipelinePump pump, CancellationToken cancellationToken)
    {
        await using var bytes = new PipelineStream(pump, chunk => WriteObject(chunk, enumerateCollection: false));
        return await solve.RunAsync(bytes, message => pump.Post(() => WriteVerbose(message)), new PostedProgress<SolveEvent>(pump, display.Show), cancellationToken).ConfigureAwait(false);
    }

    /// <returns>Null where nothing is to be built.</returns>
    private PreparedSolve? Prepare(ContextArgument context)
    {
        var request = ToRequest(context);
        return ShouldProcess(context.Location ?? context.Name, Describe(request))
            ? new PreparedSolve(PSValue.Unwrap(Builder), PSValue.Unwrap(LoadInto), request with { Secrets = _secrets ??= ReadSecrets() })
            : null;
    }

    private static string Describe(SolveRequest request)
    {
        var to = request.Outputs.Select(output => output.ToString()).ToList();
        if (request.Push)
            to.Add("push");
        if (request.Load)
            to.Add("load");
        return string.Join(' ', new[] { "Build", string.Join(", ", request.Tags), to.Count > 0 ? $"({string.Join("; ", to)})" : "" }.Where(part => part.Length > 0));
    }

    // Scripts run only where something is built, and once for all contexts.
    private List<SolveSecret> ReadSecrets()
    {
        try
        {
            return SecretArgument.Read(SessionState, Secret);
        }
        catch (BuildKitException e)
        {
            // Not the argument, which may hold values.
            ThrowError(e, nameof(Secret));
            throw;
        }
    }

    private SolveDisplay CreateDisplay(ContextArgument context) =>
        new(_mode, new CommandStreams(this), $"Building {(Tag.Length > 0 ? Tag[0] : context.Name)}");

    // Where the bytes go there is no place for an object.
    private void WriteResult(object? result)
    {
        if (result is not null && !_outputs.Exists(PreparedSolve.IsToPipeline))
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
}
