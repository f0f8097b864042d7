using System.Management.Automation;
using BuildKit.Dockerfile;

namespace BuildKit.Module.Commands;

/// <summary>Lists the stages of a Dockerfile.</summary>
[Cmdlet(VerbsCommon.Get, "DockerfileTarget")]
[OutputType(typeof(DockerfileTarget))]
public sealed class GetDockerfileTargetCommand : DockerfileCommandBase
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => Ask(DockerfileCalls.GetTargetsAsync, targets => WriteObject(targets, enumerateCollection: true));
}
