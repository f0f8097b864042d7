using System.IO.Compression;

namespace BuildKit.Oci.Copying;

/// <summary>A tar archive, written beside its place and moved there when it is whole; compressed by gzip where its name says so.</summary>
internal sealed class ArchiveCopyTarget : OciCopyTarget
{
    private readonly string _path;
    private readonly string _partial;
    private readonly FileStream _file;
    private readonly Stream _output;
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
            _file = OciFile.Create(_partial, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(path, e);
        }
        _output = OciAddress.IsCompressedName(path) ? new GZipStream(_file, CompressionLevel.Optimal, leaveOpen: true) : _file;
        _writer = new OciArchiveWriter(_output, forDocker);
    }

    public override bool TakesSeveral => false;

    public override Task<OciCopyState> PutBlobAsync(OciDescriptor blob, OciContentSource source, Action<long> progress, CancellationToken cancellationToken) =>
        Guard(() => _writer.AddBlobAsync(blob, source, progress, cancellationToken));

    public override Task FinishAsync(OciCopyPlan plan, CancellationToken cancellationToken) => Guard(async () =>
    {
        await _writer.FinishAsync(plan, cancellationToken).ConfigureAwait(false);
        // What compresses keeps the end until it is told that it is one.
        if (_output != _file)
            await _output.DisposeAsync().ConfigureAwait(false);
        OciFile.Finish(_file);
        await _file.DisposeAsync().ConfigureAwait(false);
        OciFile.Move(_partial, _path);
        return true;
    });

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await _output.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // What is left in the compression finds no room on the disk; the archive is thrown away in any case.
        }
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
