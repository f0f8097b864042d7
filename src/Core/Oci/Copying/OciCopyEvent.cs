namespace BuildKit.Oci.Copying;

/// <summary>What has become of a blob.</summary>
public enum OciCopyState
{
    /// <summary>It is on its way.</summary>
    Copying,

    /// <summary>It is there.</summary>
    Copied,

    /// <summary>It was there already.</summary>
    Skipped,

    /// <summary>The registry took it over from another of its repositories.</summary>
    Mounted,
}

/// <summary>A piece of news of a copy.</summary>
/// <param name="Digest">The blob, such as <c>sha256:…</c>.</param>
/// <param name="State">What has become of it.</param>
/// <param name="Current">How many bytes of it are copied; less than before where a registry lost some.</param>
/// <param name="Size">How many it has.</param>
/// <param name="Blobs">How many blobs are to be copied in all.</param>
/// <param name="TotalSize">How many bytes they have in all.</param>
public sealed record OciCopyEvent(string Digest, OciCopyState State, long Current, long Size, int Blobs, long TotalSize);
