using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Module.Progress;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Merging;

namespace BuildKit.Module.Commands;

/// <summary>Makes one index of several images, in registries or layouts.</summary>
[Cmdlet(VerbsData.Merge, "OciIndex", SupportsShouldProcess = true)]
[OutputType(typeof(OciMergeResult))]
public sealed class MergeOciIndexCommand : BuildKitCommandBase
{
    private readonly List<object> _sources = [];

    /// <summary>Images and indexes: references, paths, or what <c>Get-OciImage</c>, <c>Get-OciIndex</c> and <c>Get-Item</c> return.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(OciAddressCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Source { get; set; } = [];

    /// <summary>Where the index is to be: names in registries, and <c>oci-layout://PATH:TAG</c>.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [Alias("Tag")]
    [ArgumentCompleter(typeof(OciAddressCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Destination { get; set; } = [];

    /// <summary>Adds to what the first destination leads to.</summary>
    [Parameter]
    public SwitchParameter Append { get; set; }

    /// <summary>The platforms to keep.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>Annotations of the index, or of its entries.</summary>
    [Parameter]
    [ValidateNotNull]
    public object[] Annotation { get; set; } = [];

    /// <summary>What to do where two images are for the same platform.</summary>
    [Parameter]
    [ValidateSet(nameof(OciMergeDuplicate.Refuse), nameof(OciMergeDuplicate.First), nameof(OciMergeDuplicate.Last))]
    public string Duplicate { get; set; } = nameof(OciMergeDuplicate.Refuse);

    /// <summary>Uses registries elsewhere without TLS, or with a certificate that nobody vouches for.</summary>
    [Parameter]
    public SwitchParameter Insecure { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => _sources.AddRange(Source);

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // An empty pipeline asks for nothing.
        if (_sources.Count == 0)
            return;
        try
        {
            var options = new OciMergeOptions
            {
                Sources = _sources.Select(source => OciAddressArgument.Read(SessionState, source)).ToList(),
                Destinations = Destination.Select(text => OciAddressArgument.Read(SessionState, text)).ToList(),
                Append = Append,
                Platforms = Platform,
                Annotations = AnnotationArgument.Read(Annotation),
                Duplicate = Enum.Parse<OciMergeDuplicate>(Duplicate, ignoreCase: true),
                IsInsecure = Insecure,
            };
            Merge(options);
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, string.Join(", ", Destination));
        }
    }

    private void Merge(OciMergeOptions options)
    {
        var plan = Run((_, cancellationToken) => OciIndexMerge.PlanAsync(options, cancellationToken));
        try
        {
            var result = plan.Result;
            foreach (var warning in result.Warnings)
                WriteWarning(warning);
            if (ShouldProcess(string.Join(", ", result.Reference), $"Write {result.Digest}, an index of {string.Join(", ", result.Platforms)}"))
                WriteObject(Write(plan, result));
        }
        finally
        {
            Run(async (_, _) =>
            {
                await plan.DisposeAsync().ConfigureAwait(false);
                return true;
            });
        }
    }

    private OciMergeResult Write(OciMergePlan plan, OciMergeResult result)
    {
        var bars = new OciCopyBars($"{result.Manifests.Count} manifests", new WriteProgressBars(WriteProgress).Show);
        return RunShown((pump, cancellationToken) => plan.WriteAsync(new PostedProgress<OciCopyEvent>(pump, bars.Update), cancellationToken), bars.Refresh, bars.Complete);
    }
}
