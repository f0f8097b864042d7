using System.Collections;
using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>Makes an output for <c>Invoke-BuildKitSolve -Output</c>.</summary>
[Cmdlet(VerbsCommon.New, "BuildKitOutput")]
[OutputType(typeof(SolveOutput))]
public sealed class NewBuildKitOutputCommand : BuildKitCommandBase
{
    // moby/buildkit README, "Output", and exporter/containerimage/exptypes/keys.go.
    private static readonly (string Parameter, string Attribute)[] AttributeParameters =
    [
        (nameof(Name), "name"), (nameof(Push), "push"), (nameof(PushByDigest), "push-by-digest"), (nameof(Compression), "compression"),
        (nameof(CompressionLevel), "compression-level"), (nameof(ForceCompression), "force-compression"), (nameof(OciMediaTypes), "oci-mediatypes"),
        (nameof(RewriteTimestamp), "rewrite-timestamp"), (nameof(PlatformSplit), "platform-split"),
    ];

    /// <summary>The exporter; <c>local</c> where only a destination is given, <c>image</c> where none is.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(OutputTypeCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Type { get; set; }

    /// <summary>The folder or file that is written, <c>-</c> for the pipeline, or a stream.</summary>
    [Parameter(Position = 1)]
    [Alias("Path", "Dest")]
    [ValidateNotNullOrEmpty]
    public object? Destination { get; set; }

    /// <summary>Names of the image.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Name { get; set; }

    /// <summary>Whether the image is pushed to its registry.</summary>
    [Parameter]
    public SwitchParameter Push { get; set; }

    /// <summary>Whether it is pushed under its digest alone.</summary>
    [Parameter]
    public SwitchParameter PushByDigest { get; set; }

    /// <summary>How layers are compressed.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Compression { get; set; }

    /// <summary>How hard layers are compressed: 0 to 9 for gzip and estargz, 0 to 22 for zstd.</summary>
    [Parameter]
    [ValidateRange(0, 22)]
    public int CompressionLevel { get; set; }

    /// <summary>Whether layers that exist already are compressed anew.</summary>
    [Parameter]
    public SwitchParameter ForceCompression { get; set; }

    /// <summary>Whether manifests have OCI's media types instead of docker's.</summary>
    [Parameter]
    public SwitchParameter OciMediaTypes { get; set; }

    /// <summary>Whether files in layers get the time of <c>-SourceDateEpoch</c>.</summary>
    [Parameter]
    public SwitchParameter RewriteTimestamp { get; set; }

    /// <summary>Whether <c>oci</c> and <c>docker</c> are written as a folder, an OCI layout, instead of a tar.</summary>
    [Parameter]
    public SwitchParameter AsLayout { get; set; }

    /// <summary>Whether the files of several platforms go into a folder each.</summary>
    [Parameter]
    public SwitchParameter PlatformSplit { get; set; }

    /// <summary>Further attributes by their names.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary Attribute { get; set; } = new Hashtable();

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        try
        {
            var table = new Hashtable(StringComparer.OrdinalIgnoreCase);
            foreach (DictionaryEntry entry in Attribute)
                table[StringTable.Text(entry.Key)] = entry.Value;
            foreach (var (parameter, attribute) in AttributeParameters)
            {
                if (MyInvocation.BoundParameters.TryGetValue(parameter, out var value))
                    table[attribute] = value;
            }
            if (MyInvocation.BoundParameters.ContainsKey(nameof(AsLayout)))
                table["tar"] = !AsLayout;
            if (Destination is not null)
                table["dest"] = Destination;
            table["type"] = Type ?? table["type"] ?? DefaultType();
            WriteObject(OutputArgument.Read(SessionState, [table])[0]);
        }
        catch (BuildKitException e)
        {
            ThrowError(e, Type);
        }
    }

    private string DefaultType()
    {
        var destination = PSValue.Unwrap(Destination);
        return AsLayout ? "oci" : destination is null ? "image" : destination is Stream or SolveOutput.StandardOutput ? "tar" : "local";
    }
}
