namespace BuildKit.Oci.Copying;

/// <summary>A tar archive, written beside its place and moved there when it is whole.</summary>
internal sealed class ArchiveCopyTarget : OciCopyTarget
{
    private readonly string _path;
    private readonly string _partial;
    private readonly FileStream _file;
    private readonly OciArchiveWriter _writer;

    /// <param name="path">The archive; one that is there is replaced.</param>
    /// <param name="forDocker">Whether it is for <c>docker load</c>.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutUnwritable</c>, <c>BuildKit.OciLayoutDenied</c>.</exception>
    public ArchiveCopyTarget(string path, bool forDocker)
    {
        _path = path;
        _partial = OciFile.Beside(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            _file = new FileStream(_partial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(path, e);
        }
        _writer = new OciArchiveWriter(_file, forDocker);
    }

    public override bool TakesSeveral => false;

    public override Task<OciCopyState> PutBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken) =>
        Guard(() => _writer.AddBlobAsync(blob, source, progress, cancellationToken));

    public override Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken) => Guard(async () =>
    {
        await _writer.FinishAsync(plan, cancellationToken).ConfigureAwait(false);
        await _file.DisposeAsync().ConfigureAwait(false);
        OciFile.Move(_partial, _path);
        return true;
    });

    public override async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync().ConfigureAwait(false);
        OciFile.TryDelete(_partial);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<T> Guard<T>(Func<Task<T>> write)
    {
        try
        {
            return await write().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(_path, e);
        }
    }
}
