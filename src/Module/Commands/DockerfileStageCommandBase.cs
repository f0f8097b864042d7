using System.Collections;
using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that asks the frontend about a stage of a Dockerfile, for which it follows what the stage is based on.</summary>
public abstract class DockerfileStageCommandBase : DockerfileCommandBase
{
    // Not bound by property name: a folder object has a Target of its own.
    /// <summary>The stage. Each cmdlet says what it means to leave it out.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TargetCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Target { get; set; }

    /// <summary>Further contexts by name: folders, <c>docker-image://</c>, <c>oci-layout://</c>, git and http URLs, <c>target:</c> names.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary BuildContext { get; set; } = new Hashtable();

    /// <summary>Platforms that the build would be for.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <inheritdoc/>
    private protected override SolveRequest ToRequest() => base.ToRequest() with
    {
        Target = Target,
        BuildContexts = BuildContextArgument.Read(SessionState, BuildContext),
        Platforms = Platform,
    };
}
