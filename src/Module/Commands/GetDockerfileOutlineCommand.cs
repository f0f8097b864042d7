using System.Management.Automation;
using BuildKit.Dockerfile;

namespace BuildKit.Module.Commands;

/// <summary>Lists what a stage of a Dockerfile takes from outside.</summary>
[Cmdlet(VerbsCommon.Get, "DockerfileOutline")]
[OutputType(typeof(DockerfileOutline))]
public sealed class GetDockerfileOutlineCommand : DockerfileStageCommandBase
{
    /// <inheritdoc/>
    protected override void ProcessRecord() => Ask(DockerfileCalls.GetOutlineAsync, outline => WriteObject(outline));
}
