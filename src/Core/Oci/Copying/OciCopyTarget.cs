namespace BuildKit.Oci.Copying;

/// <summary>Where images are copied to. What was not finished when it is disposed is taken away, but for blobs that the next attempt need not copy again.</summary>
internal abstract class OciCopyTarget : IAsyncDisposable
{
    /// <summary>Whether it takes several blobs at the same time.</summary>
    public virtual bool TakesSeveral => true;

    /// <summary>Puts a blob, unless it is there.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="source">Where it is.</param>
    /// <param name="progress">Is told how many bytes are there.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    /// <returns>What was done: not <see cref="OciCopyState.Copying"/>.</returns>
    public abstract Task<OciCopyState> PutBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken);

    /// <summary>Puts the manifests, gives the image its name, and with that makes it to be found. Called once, after all blobs.</summary>
    /// <param name="plan">What is copied.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    public abstract Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
