using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Commands;
using BuildKit.Module.Errors;
using BuildKit.Module.Loading;
using BuildKit.Module.Progress;
using BuildKit.Solve;

namespace BuildKit.Module.Jobs;

/// <summary>
/// A build that runs beside the session. Its lines, warnings and errors wait for <c>Receive-Job</c>, and so does its result; <c>Stop-Job</c> cancels it on the daemon.
/// No runspace belongs to it: what the request needs of the session has been read when it begins.
/// </summary>
internal sealed class SolveJob : Job
{
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>How long <see cref="StopJob"/> waits for the build to end. The daemon is told to cancel at once; what takes longer ends on its own.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);

    private readonly PreparedSolve _solve;
    private readonly IDisposable _context;
    private readonly object _target;
    private readonly JobStreams _streams;
    private readonly SolveDisplay _display;
    private readonly object _displayLock = new();
    // A job that has ended must not be Stopping afterwards.
    private readonly object _stateLock = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile string _location;
    private volatile string _status = string.Empty;

    /// <summary>Creates a job that does not run yet.</summary>
    /// <param name="command">What the job's Command column shows; nothing of it may be secret.</param>
    /// <param name="solve">What to build, and where.</param>
    /// <param name="mode">How it is shown.</param>
    /// <param name="target">The target of an error.</param>
    /// <param name="context">What the build reads; it is closed when the build has ended.</param>
    public SolveJob(string command, PreparedSolve solve, ProgressMode mode, object target, IDisposable context)
        : base(command)
    {
        PSJobTypeName = "BuildKitSolve";
        _solve = solve;
        _context = context;
        _target = target;
        _location = solve.Builder?.ToString() ?? string.Empty;
        _streams = new JobStreams(this);
        _display = new SolveDisplay(mode, _streams, command);
    }

    /// <inheritdoc/>
    public override bool HasMoreData =>
        Output.Count > 0 || Error.Count > 0 || Warning.Count > 0 || Information.Count > 0 || Verbose.Count > 0 || Progress.Count > 0 || Debug.Count > 0;

    /// <summary>The builder.</summary>
    public override string Location => _location;

    /// <summary>The step that began last, while the build runs.</summary>
    public override string StatusMessage => _status;

    /// <summary>Starts the build and returns.</summary>
    public void Start()
    {
        ModuleLoading.Hold();
        SetJobState(JobState.Running);
        _ = Task.Run(RunAsync);
    }

    /// <inheritdoc/>
    public override void StopJob()
    {
        lock (_stateLock)
        {
            if (IsOver)
                return;
            SetJobState(JobState.Stopping);
        }
        _stop.Cancel();
        Finished.WaitOne(StopGrace);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Not disposed of: the build may still be looking at it.
        if (disposing)
            _stop.Cancel();
        base.Dispose(disposing);
    }

    private bool IsOver => JobStateInfo.State is JobState.Completed or JobState.Failed or JobState.Stopped;

    private async Task RunAsync()
    {
        var state = JobState.Completed;
        try
        {
            var build = BuildAsync();
            while (await Task.WhenAny(build, Task.Delay(RefreshInterval)).ConfigureAwait(false) != build)
                Display(display => display.Refresh());
            var result = await build.ConfigureAwait(false);
            Display(display => display.Complete());
            _streams.WriteOutput(result);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            state = JobState.Stopped;
        }
        catch (Exception e)
        {
            Display(display => display.Complete());
            _streams.WriteError(ErrorRecordFactory.Create(e, _target));
            state = JobState.Failed;
        }
        finally
        {
            _context.Dispose();
            ModuleLoading.Release();
        }
        _status = string.Empty;
        lock (_stateLock)
            SetJobState(state);
    }

    private async Task<BuildKitSolveResult> BuildAsync()
    {
        var result = await _solve.RunAsync(null, _streams.WriteVerbose, new Events(this), _stop.Token).ConfigureAwait(false);
        _location = result.Builder;
        return result;
    }

    private void Show(SolveEvent solveEvent)
    {
        if (solveEvent.Vertexes.LastOrDefault(vertex => vertex is { Started: not null, Completed: null }) is { } started)
            _status = started.Name;
        Display(display => display.Show(solveEvent));
    }

    private void Display(Action<SolveDisplay> show)
    {
        lock (_displayLock)
            show(_display);
    }

    private sealed class Events(SolveJob job) : IProgress<SolveEvent>
    {
        public void Report(SolveEvent value) => job.Show(value);
    }
}
