using System.Collections;
using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Module.Progress;
using BuildKit.Solve;
using BuildKit.Solve.Progress;

namespace BuildKit.Module.Commands;

/// <summary>Builds a Dockerfile.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "BuildKitSolve")]
[OutputType(typeof(BuildKitSolveResult))]
public sealed class InvokeBuildKitSolveCommand : BuilderCommandBase
{
    private List<SolveOutput> _outputs = [];
    private ProgressMode _mode;

    /// <summary>The build context: a folder, or a git or http URL that the daemon fetches.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath", "Path")]
    [ValidateNotNullOrEmpty]
    public string Context { get; set; } = ".";

    /// <summary>The Dockerfile: a path, which may lie outside the context, or its text.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("File")]
    [ValidateNotNullOrEmpty]
    public string? Dockerfile { get; set; }

    // Not bound by property name: a folder object has a Target of its own.
    /// <summary>The stage to build; the last one where it is left out.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TargetCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Target { get; set; }

    /// <summary>Values of <c>ARG</c>s. One that is null is taken from the environment.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary BuildArg { get; set; } = new Hashtable();

    /// <summary>Names of the image.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Tag { get; set; } = [];

    /// <summary>Labels of the image.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary Label { get; set; } = new Hashtable();

    /// <summary>Platforms to build for.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(PlatformCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>Whether no step's result is taken from the cache.</summary>
    [Parameter]
    public SwitchParameter NoCache { get; set; }

    /// <summary>Whether base images are looked up in their registry even where they are present.</summary>
    [Parameter]
    public SwitchParameter Pull { get; set; }

    /// <summary>Where the result goes: strings as docker users write them, hashtables, or the path of a folder.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OutputCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Output { get; set; } = [];

    /// <summary>Whether the image is put into the Docker Engine's store as well.</summary>
    [Parameter]
    public SwitchParameter Load { get; set; }

    /// <summary>How the build is shown while it runs.</summary>
    [Parameter]
    public ProgressMode Progress { get; set; }

    /// <inheritdoc/>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        // -ProgressAction, which PowerShell has from 7.4 on, comes before the variable.
        var preference = MyInvocation.BoundParameters.TryGetValue("ProgressAction", out var action) ? action : GetVariableValue("ProgressPreference");
        _mode = ProgressModeSelector.Select(Progress, Host, preference);
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
        BuildKitSolveResult result;
        try
        {
            result = Build(CreateRequest());
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Context);
            return;
        }
        WriteObject(result);
    }

    private SolveRequest CreateRequest()
    {
        var context = ContextArgument.Resolve(SessionState, Context);
        var dockerfile = DockerfileArgument.Read(SessionState, Dockerfile, context);
        return new SolveRequest
        {
            Context = context,
            Dockerfile = dockerfile.Path,
            DockerfileText = dockerfile.Text,
            Target = Target,
            BuildArgs = StringTable.ReadBuildArgs(BuildArg),
            Tags = Tag,
            Labels = StringTable.Read(Label),
            Platforms = Platform.SelectMany(platforms => platforms.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList(),
            NoCache = NoCache,
            Pull = Pull,
            Outputs = _outputs,
            Load = Load,
        };
    }

    private BuildKitSolveResult Build(SolveRequest request)
    {
        var display = CreateDisplay(request);
        try
        {
            return Run(
                async (pump, cancellationToken) =>
                {
                    var connection = await ConnectAsync(pump, cancellationToken).ConfigureAwait(false);
                    var events = new SolveEvents(pump, solveEvent => Show(solveEvent, display));
                    return await SolveOperation.RunAsync(connection, request, events, cancellationToken).ConfigureAwait(false);
                },
                () => display?.Refresh());
        }
        finally
        {
            // Of a pipeline that is being stopped the host takes nothing any more, and clears its bars itself.
            if (!Stopping)
                display?.Complete();
        }
    }

    private IProgressDisplay? CreateDisplay(SolveRequest request) => _mode switch
    {
        ProgressMode.Tty => new ProgressBars($"Building {(Tag.Length > 0 ? Tag[0] : Context)}", new WriteProgressBars(WriteProgress).Show),
        // As Write-Host does it: shown by the host, and out of the way of the result.
        ProgressMode.Plain => new PlainProgressWriter(line => WriteInformation(new HostInformationMessage { Message = line }, ["PSHOST"])),
        _ => null,
    };

    private void Show(SolveEvent solveEvent, IProgressDisplay? display)
    {
        display?.Update(solveEvent);
        if (_mode == ProgressMode.None)
            return;
        foreach (var warning in solveEvent.Warnings)
            WriteWarning(warning.Short);
    }
}
