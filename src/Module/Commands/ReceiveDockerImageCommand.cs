using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Module.Completion;
using BuildKit.Module.Progress;
using BuildKit.Solve.Progress;

namespace BuildKit.Module.Commands;

/// <summary>Has a Docker Engine pull images.</summary>
[Cmdlet(VerbsCommunications.Receive, "DockerImage", SupportsShouldProcess = true)]
[OutputType(typeof(ImagePullResult))]
public sealed class ReceiveDockerImageCommand : BuilderCommandBase
{
    // The docker CLI's own variable.
    private const string PlatformVariable = "DOCKER_DEFAULT_PLATFORM";

    /// <summary>The images, with a tag, a digest, both, or neither for <c>:latest</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Reference", "Image")]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>The platform to pull; left out, <c>$env:DOCKER_DEFAULT_PLATFORM</c> or the Engine's own.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Platform { get; set; }

    /// <summary>Whether the registry is asked. A text: PowerShell looks at parameters' types before the library can be loaded.</summary>
    [Parameter]
    [ValidateSet(nameof(ImagePullPolicy.Always), nameof(ImagePullPolicy.Missing), nameof(ImagePullPolicy.Never), nameof(ImagePullPolicy.Newer))]
    public string PullPolicy { get; set; } = nameof(ImagePullPolicy.Always);

    /// <inheritdoc/>
    [Parameter]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var policy = Enum.Parse<ImagePullPolicy>(PullPolicy, ignoreCase: true);
        foreach (var name in Name)
        {
            if (policy != ImagePullPolicy.Never && !ShouldProcess(name, "Pull the image"))
                continue;
            try
            {
                Write(Pull(name, policy));
            }
            catch (Exception e) when (IsReportable(e))
            {
                WriteError(e, name);
            }
        }
    }

    private ImagePullResult Pull(string name, ImagePullPolicy policy)
    {
        var bars = new ImagePullBars(name, new WriteProgressBars(WriteProgress).Show);
        return RunShown(
            async (pump, cancellationToken) =>
            {
                var connection = await ConnectEngineAsync(pump, cancellationToken).ConfigureAwait(false);
                return await connection.PullImageAsync(name, Platform ?? DefaultPlatform(), policy, new PostedProgress<ImagePullEvent>(pump, bars.Update), cancellationToken).ConfigureAwait(false);
            },
            bars.Refresh, bars.Complete);
    }

    private void Write(ImagePullResult result)
    {
        if (result.Warning is { } warning)
            WriteWarning(warning);
        WriteObject(result);
    }

    /// <summary>Where no daemon is named, the Engine that docker itself would use: a buildkitd has no images.</summary>
    private async Task<BuildKitConnection> ConnectEngineAsync(PipelinePump pump, CancellationToken cancellationToken)
    {
        Builder ??= await new EndpointResolver().ResolveEngineAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        return await ConnectAsync(pump, cancellationToken).ConfigureAwait(false);
    }

    private static string? DefaultPlatform() => Environment.GetEnvironmentVariable(PlatformVariable) is { Length: > 0 } platform ? platform : null;
}
