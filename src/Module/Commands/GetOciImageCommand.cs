using System.Management.Automation;
using BuildKit.Module.Completion;
using BuildKit.Oci;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Images;

namespace BuildKit.Module.Commands;

/// <summary>Reads images in layouts, archives and registries: configuration, history, layers, attestations.</summary>
[Cmdlet(VerbsCommon.Get, "OciImage", DefaultParameterSetName = "Path")]
[OutputType(typeof(OciImage))]
public sealed class GetOciImageCommand : OciAddressCommandBase
{
    /// <summary>Names of images in a layout, whole or short, with wildcards.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OciReferenceCompleter))]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Name { get; set; } = [];

    /// <summary>The digest of an image, or of an index with several.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? Digest { get; set; }

    /// <summary>The platforms.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>Leaves attestations unread.</summary>
    [Parameter]
    public SwitchParameter SkipAttestation { get; set; }

    /// <inheritdoc/>
    private protected override void Process(OciAddress address)
    {
        var patterns = Name.Select(name => WildcardPattern.Get(name, WildcardOptions.CultureInvariant)).ToList();
        var query = new OciImageQuery
        {
            Name = patterns.Count == 0 ? null : name => patterns.Exists(pattern => pattern.IsMatch(name)),
            Digest = Digest is null ? null : ReadDigest(Digest),
            Platforms = Platform,
            IncludeAttestations = !SkipAttestation,
            IsInsecure = Insecure,
        };
        var images = Run((pump, cancellationToken) => OciImageReader.ReadAsync(
            address, query, missing => pump.Post(() => WriteWarning($"{missing.Message} What it belongs to is left out.")), cancellationToken));
        WriteObject(images, enumerateCollection: true);
    }

    private static OciDigest ReadDigest(string text) => OciDigest.TryParse(text, out var digest)
        ? digest
        : throw new BuildKitException(
            "BuildKit.InvalidDigest", BuildKitErrorCategory.InvalidArgument, $"'{text}' is no digest.", "Write it like sha256: and 64 lower-case hexadecimal digits.")
        { Target = text };
}
