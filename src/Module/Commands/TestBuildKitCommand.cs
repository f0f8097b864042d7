using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Diagnosis;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Looks at a builder and at what this side brings for it, and says what is wrong and what to do.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BuildKit")]
[OutputType(typeof(BuildKitCheck), typeof(bool))]
public sealed class TestBuildKitCommand : BuilderCommandBase
{
    // What was asked for and not done has not passed.
    private bool _isNameUnknown;

    /// <inheritdoc/>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <summary>The checks to do; wildcards are allowed. What they need is done as well, and not shown.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(CheckCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>The registries whose credentials are looked for; * for all that the docker config names.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] Registry { get; set; } = [];

    /// <summary>Platforms that the builder must have.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>Whether each exporter is tried.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <summary>How long one check may take.</summary>
    [Parameter]
    [ValidateRange(1, 3600)]
    public int TimeoutSec { get; set; } = 10;

    /// <summary>Whether a bool is all that is wanted.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var request = Request();
        var passed = Run(async (pump, cancellationToken) =>
        {
            var all = true;
            await foreach (var check in BuildKitDoctor.RunAsync(request, cancellationToken).ConfigureAwait(false))
            {
                all &= check.Status != BuildKitCheckStatus.Fail;
                if (!Quiet)
                    pump.Post(() => WriteObject(check));
            }
            return all;
        });
        if (Quiet)
            WriteObject(passed && !_isNameUnknown);
    }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        foreach (var name in Name.Where(name => !BuildKitDoctor.CheckNames.Any(Pattern(name).IsMatch)))
        {
            _isNameUnknown = true;
            if (!WildcardPattern.ContainsWildcardCharacters(name))
                WriteError(Unknown(name), name);
        }
    }

    private BuildKitDoctorRequest Request()
    {
        var builder = PSValue.Unwrap(Builder);
        var name = (builder as BuildKitServer)?.Address ?? builder?.ToString();
        var patterns = Array.ConvertAll(Name, Pattern);
        return new BuildKitDoctorRequest
        {
            Connection = builder as BuildKitConnection,
            Endpoint = builder as BuildKitEndpoint ?? (builder as BuildKitServer)?.Endpoint ?? OpenedWithTls(name),
            Node = builder as BuildKitNode,
            Builder = name,
            Registries = Registry,
            Platforms = Platform,
            Probe = Probe,
            Includes = check => Array.Exists(patterns, pattern => pattern.IsMatch(check)),
            Timeout = TimeSpan.FromSeconds(TimeoutSec),
        };
    }

    private static WildcardPattern Pattern(string name) => WildcardPattern.Get(name, WildcardOptions.IgnoreCase);

    // An address alone says nothing of certificates: a connection that was opened with some tells which are meant.
    private static BuildKitEndpoint? OpenedWithTls(string? address) =>
        address is null ? null : ConnectionPool.FindWithTls(address)?.Endpoint;

    private static BuildKitException Unknown(string name) => new(
        "BuildKit.CheckUnknown", BuildKitErrorCategory.InvalidArgument, $"There is no check '{name}'.", $"The checks are: {string.Join(", ", BuildKitDoctor.CheckNames)}.")
    {
        Target = name,
    };
}
