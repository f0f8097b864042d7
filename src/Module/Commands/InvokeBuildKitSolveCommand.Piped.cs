using BuildKit.Module.Binding;
using BuildKit.Module.Progress;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <content>A context whose bytes come through the pipeline: one build that goes on while they arrive.</content>
public sealed partial class InvokeBuildKitSolveCommand
{
    private PipedContext? _piped;
    private PipelinePump? _pipedPump;
    private Task<BuildKitSolveResult>? _pipedBuild;
    private SolveDisplay? _pipedDisplay;

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_piped is null)
            return;
        _piped.Complete();
        FinishPiped();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // Where the pipeline was stopped in between, the archive has no end, and the build must not go on with half of it.
            _pipedPump?.Dispose();
            _piped?.Dispose();
        }
        base.Dispose(disposing);
    }

    private void AddPiped(byte[] bytes)
    {
        if (_piped is null)
            StartPiped();
        if (_pipedBuild is null)
            return;
        var full = _piped!.Add(bytes);
        if (full is not null)
            PumpUntil(_pipedPump!, Task.WhenAny(full, _pipedBuild), RefreshPiped);
        if (_pipedBuild.IsCompleted)
            FinishPiped();
    }

    private void StartPiped()
    {
        _piped = new PipedContext();
        var context = new ContextArgument(null, _piped.Stream, "the archive from the pipeline");
        PreparedSolve? solve;
        try
        {
            RefuseMixedBytes();
            if (AsJob)
                throw new BuildKitException(
                    "BuildKit.InvalidContext", BuildKitErrorCategory.InvalidArgument, "Bytes from the pipeline can't be sent to a job.",
                    "Give the archive's path as -Context, or leave out -AsJob.");
            solve = Prepare(context);
        }
        catch (BuildKitException e)
        {
            WriteError(e, null);
            return;
        }
        if (solve is null)
            return;
        var pump = _pipedPump = CreatePump();
        var display = _pipedDisplay = CreateDisplay(context);
        _pipedBuild = pump.Start(cancellationToken => BuildAsync(solve, display, pump, cancellationToken));
    }

    private void FinishPiped()
    {
        if (_pipedBuild is not { } build)
            return;
        _pipedBuild = null;
        try
        {
            PumpUntil(_pipedPump!, null, RefreshPiped);
            WriteResult(build.GetAwaiter().GetResult());
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, null);
        }
        finally
        {
            if (!Stopping)
                _pipedDisplay?.Complete();
        }
    }

    private void RefreshPiped() => _pipedDisplay?.Refresh();
}
