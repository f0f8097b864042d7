using BuildKit.Oci;

namespace BuildKit.Registry;

/// <summary>A manifest or an index as a registry has it.</summary>
/// <param name="Descriptor">Its media type, digest and size; the digest was computed from the content.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record RegistryManifest(OciDescriptor Descriptor, byte[] Content);
