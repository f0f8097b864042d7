using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;

namespace BuildKit.Module.Commands;

/// <summary>Creates a builder, adds a node to one, or changes a node.</summary>
[Cmdlet(VerbsCommon.New, "BuildKitBuilder", SupportsShouldProcess = true)]
[OutputType(typeof(BuildKitBuilder))]
public sealed class NewBuildKitBuilderCommand : BuilderNameCommandBase
{
    /// <summary>The builder's name; one is made up where it is left out.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The docker context or the address where the node is.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Endpoint { get; set; }

    /// <summary>What runs the node.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Driver { get; set; }

    /// <summary>The driver's options.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object[]? DriverOption { get; set; }

    /// <summary>The arguments of buildkitd.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? BuildkitdFlag { get; set; }

    /// <summary>A buildkitd.toml.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? BuildkitdConfig { get; set; }

    /// <summary>The platforms that the node is asked for before other nodes.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>The node's name.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BuilderOptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? NodeName { get; set; }

    /// <summary>Whether a node is added to a builder that exists.</summary>
    [Parameter]
    public SwitchParameter Append { get; set; }

    /// <summary>Whether it becomes the current builder, for docker buildx too.</summary>
    [Parameter]
    public SwitchParameter Use { get; set; }

    /// <summary>Whether it is started at once.</summary>
    [Parameter]
    public SwitchParameter Start { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!ShouldProcess(Name ?? "a name that is made up", Append ? "Add a node to the builder" : "Create the builder"))
            return;
        BuilderCreateOptions options;
        try
        {
            options = Options();
        }
        catch (BuildKitException e)
        {
            WriteError(e, Name);
            return;
        }
        Report(Name, (_, cancellationToken) => Builders.CreateAsync(options, cancellationToken), builder =>
        {
            if (Use)
            {
                EndSessionChoice();
                WarnOfOverride(builder.Name);
            }
            // A builder that does not start is there all the same.
            if (Start)
                Report(builder.Name, (pump, cancellationToken) => StartAsync(builder, pump, cancellationToken), started => builder = started);
            WriteObject(builder);
        });
    }

    private BuilderCreateOptions Options() => new()
    {
        Name = Name,
        Endpoint = Endpoint,
        Driver = Driver,
        DriverOptions = DriverOption is null ? null : DriverOptionArgument.Read(SessionState, DriverOption),
        BuildkitdFlags = BuildkitdFlag,
        BuildkitdConfigPath = BuildkitdConfig is null ? null : FileSystemPath.Resolve(SessionState, BuildkitdConfig),
        Platforms = Platform,
        NodeName = NodeName,
        Append = Append,
        Use = Use,
    };
}
