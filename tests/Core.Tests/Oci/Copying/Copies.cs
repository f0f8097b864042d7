using BuildKit.Oci;
using BuildKit.Oci.Copying;
using BuildKit.Registry;
using BuildKit.Tests.Registry;

namespace BuildKit.Tests.Oci.Copying;

/// <summary>Copies as the tests make them.</summary>
internal static class Copies
{
    public static async Task<OciCopyResult> RunAsync(
        string source, string destination, Func<OciCopyOptions, OciCopyOptions>? more = null, RegistryAccess? access = null, IProgress<OciCopyEvent>? progress = null)
    {
        using var nobody = access is null ? RegistryAccess.As("127.0.0.1", null) : null;
        var options = new OciCopyOptions { Source = OciAddress.Parse(source), Destination = OciAddress.Parse(destination) };
        return await OciCopy.RunAsync(more?.Invoke(options) ?? options, new RegistrySession(false, (access ?? nobody)!.Options), progress, default).WaitAsync(TimeSpan.FromMinutes(2));
    }

    public static async Task<BuildKitException> FailAsync(string source, string destination, Func<OciCopyOptions, OciCopyOptions>? more = null, RegistryAccess? access = null) =>
        await Xunit.Assert.ThrowsAnyAsync<BuildKitException>(() => RunAsync(source, destination, more, access));

    /// <summary>Two platforms, each with an attestation, as BuildKit lists them.</summary>
    /// <returns>The index, and the two images.</returns>
    public static (OciDescriptor Index, OciDescriptor Amd64, OciDescriptor Arm64) AddAttestedImages(this TestLayout layout)
    {
        var amd64 = TestLayout.WithPlatform(layout.AddImage("amd64 " + Guid.NewGuid()), "amd64");
        var arm64 = TestLayout.WithPlatform(layout.AddImage("arm64 " + Guid.NewGuid(), "arm64"), "arm64");
        return (layout.AddIndex(amd64, arm64, Attest(layout, amd64), Attest(layout, arm64)), amd64, arm64);
    }

    private static OciDescriptor Attest(TestLayout layout, OciDescriptor image)
    {
        var statement = layout.AddBlob($$"""{"subject":"{{image.Digest}}"}""", OciMediaType.InToto);
        var config = layout.AddBlob($$"""{"of":"{{image.Digest}}"}""", OciMediaType.Config);
        var manifest = layout.AddBlob($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Manifest}}","config":{{config}},"layers":[{{statement}}]}""", OciMediaType.Manifest);
        return manifest.WithPlatform(OciPlatform.Unknown).WithAnnotations(
        [
            new(OciDescriptor.ReferenceTypeAnnotation, "attestation-manifest"), new(OciDescriptor.ReferenceDigestAnnotation, image.Digest.ToString()),
        ]);
    }
}
