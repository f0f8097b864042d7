using System.Management.Automation;
using BuildKit.Dockerfile;

namespace BuildKit.Module.Commands;

/// <summary>Has the frontend check a Dockerfile.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Dockerfile")]
[OutputType(typeof(DockerfileLintWarning), typeof(bool))]
public sealed class TestDockerfileCommand : DockerfileStageCommandBase
{
    /// <summary>Whether the answer is just whether nothing was found.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => Ask(DockerfileCalls.LintAsync, Write);

    private void Write(DockerfileLint lint)
    {
        if (Quiet)
        {
            WriteObject(lint.Passed);
            return;
        }
        WriteObject(lint.Warnings, enumerateCollection: true);
        if (lint.Error is not null)
            WriteError(lint.Error, Context);
    }
}
