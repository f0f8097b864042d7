using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Module.Progress;
using BuildKit.Oci.Copying;

namespace BuildKit.Module.Commands;

/// <summary>Copies images between OCI layouts, archives, registries and Docker Engines.</summary>
[Cmdlet(VerbsCommon.Copy, "OciImage", SupportsShouldProcess = true)]
[OutputType(typeof(OciCopyResult))]
public sealed class CopyOciImageCommand : BuilderCommandBase
{
    /// <summary>Where the image is: an address, or what <c>Get-OciImage</c>, <c>Get-OciIndex</c> and <c>Get-Item</c> return.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(OciAddressCompleter))]
    [ValidateNotNullOrEmpty]
    public object Source { get; set; } = "";

    /// <summary>Where it is to be.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(OciAddressCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The platforms to copy; left out, all.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>Whether provenance and SBOM stay behind.</summary>
    [Parameter]
    public SwitchParameter NoAttestation { get; set; }

    /// <summary>Whether signatures and the like go along.</summary>
    [Parameter]
    public SwitchParameter IncludeReferrer { get; set; }

    /// <summary>Whether registries elsewhere may be spoken to without TLS, or with any certificate.</summary>
    [Parameter]
    public SwitchParameter Insecure { get; set; }

    /// <summary>How many blobs are copied at the same time.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 4;

    /// <inheritdoc/>
    [Parameter]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var source = OciAddressArgument.Read(SessionState, Source);
            var destination = OciAddressArgument.Read(SessionState, Destination);
            if (ShouldProcess(destination.ToString(), $"Copy the image {source}"))
                WriteObject(Copy(source, destination));
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, Source);
        }
    }

    private OciCopyResult Copy(OciAddress source, OciAddress destination)
    {
        var options = new OciCopyOptions
        {
            Source = source,
            Destination = destination,
            Platforms = Platform,
            NoAttestation = NoAttestation,
            IncludeReferrers = IncludeReferrer,
            Insecure = Insecure,
            Concurrency = ThrottleLimit,
        };
        var bars = new OciCopyBars(source.ToString(), new WriteProgressBars(WriteProgress).Show);
        return RunShown(
            async (pump, cancellationToken) =>
            {
                var engine = await ConnectIfNamedAsync(pump, cancellationToken).ConfigureAwait(false);
                return await OciCopy.RunAsync(options with { Engine = engine }, new PostedProgress<OciCopyEvent>(pump, bars.Update), cancellationToken).ConfigureAwait(false);
            },
            bars.Refresh, bars.Complete);
    }

    private async Task<BuildKitConnection?> ConnectIfNamedAsync(PipelinePump pump, CancellationToken cancellationToken) =>
        Builder is null ? null : await ConnectAsync(pump, cancellationToken).ConfigureAwait(false);
}
