namespace BuildKit.Oci.Merging;

/// <summary>A repository or a layout that an index is put into.</summary>
internal interface IOciMergeTarget : IDisposable
{
    /// <summary>Whether an index or a manifest is there, and with it everything that it refers to.</summary>
    Task<bool> HasDocumentAsync(OciDescriptor blob, CancellationToken cancellationToken);

    /// <summary>Puts an index or a manifest; what it refers to is there already.</summary>
    Task PutDocumentAsync(OciDescriptor blob, byte[] content, CancellationToken cancellationToken);

    /// <summary>Takes a blob over, if it is not there.</summary>
    /// <returns>Whether its bytes had to be transferred.</returns>
    Task<bool> CopyBlobAsync(OciContentSource source, OciDescriptor blob, CancellationToken cancellationToken);

    /// <summary>Gives the index its names.</summary>
    Task NameAsync(OciDescriptor index, byte[] content, CancellationToken cancellationToken);
}
