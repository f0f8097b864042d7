using BuildKit.Files;
using BuildKit.Grpc;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Session.FileSend;

/// <summary>
/// A file as the destination of a <c>tar</c>, <c>oci</c> or <c>docker</c> exporter. It grows beside the destination and replaces it by one rename. A link at the destination is followed,
/// and a device or pipe (<c>/dev/null</c>, <c>/dev/stdout</c>) is written to as it is, as buildx does.
/// </summary>
internal sealed class FileExportTarget : ExportTarget
{
    private readonly bool _isSpecial;
    private string _path;
    private StagingArea? _staging;
    private SafeFileHandle? _file;
    private FileStream? _special;
    private int _calls;
    private long _length;
    private volatile bool _complete;
    private bool _committed;

    /// <param name="destination">The file; it need not exist, nor its parents.</param>
    /// <exception cref="ExportException">A directory is there.</exception>
    public FileExportTarget(string destination)
        : base(Path.GetFullPath(destination))
    {
        if (Directory.Exists(Destination) || Path.EndsInDirectorySeparator(destination))
            throw ExportErrors.Destination(Destination, $"The output file '{Destination}' is a directory.", "Give the name of a file in it, or export with type=local.");
        _path = Destination;
        // Asked before the link is resolved: /dev/stdout leads to a name such as 'pipe:[42]' that can't be opened.
        _isSpecial = OperatingSystem.IsWindows() ? Destination.StartsWith(@"\\.\", StringComparison.Ordinal) : UnixNative.IsSpecialFile(Destination);
        if (!_isSpecial && ExportFileSystem.GetKind(Destination) == EntryKind.SymbolicLink)
            ExportFileSystem.Guard(Destination, path => _path = File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName);
    }

    public override ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (!_complete)
            throw ExportErrors.Incomplete(Destination, _calls == 0
                ? "the daemon said that the build succeeded, but it sent nothing"
                : "the daemon said that the build succeeded, but did not send everything");
        cancellationToken.ThrowIfCancellationRequested();
        if (_committed || _isSpecial)
            return ValueTask.CompletedTask;
        if (File.Exists(_path))
            ExportFileSystem.CopyMode(_path, _staging!.Path);
        ExportFileSystem.Rename(_staging!.Path, _path);
        _staging.KeepParents();
        _committed = true;
        return ValueTask.CompletedTask;
    }

    protected override async Task ReceiveCoreAsync(
        IAsyncStreamReader<FileSendMessage> requests, IServerStreamWriter<FileSendReply> replies, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _calls) != 1)
            throw ExportErrors.Protocol(Destination, "it sent the same output twice");
        if (_isSpecial)
            ExportFileSystem.Guard(Destination, path => _special = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
        else
            _file = Create();
        await BytesReceiver.ReceiveAsync(requests, Destination, WriteAsync, cancellationToken).ConfigureAwait(false);
        if (_file is not null)
            ExportFileSystem.CloseFile(_file, Destination);
        _complete = true;
    }

    protected override ValueTask CleanUpAsync()
    {
        _special?.Dispose();
        _file?.Dispose();
        if (_staging is not null && !_committed)
        {
            ExportFileSystem.Delete(_staging.Path, EntryKind.Other);
            _staging.RemoveParents();
        }
        return ValueTask.CompletedTask;
    }

    private SafeFileHandle Create()
    {
        _staging = StagingArea.Create(Path.GetDirectoryName(_path)!, Path.GetFileName(_path));
        return ExportFileSystem.CreateFile(new EntryPath(_staging.Path, _staging.Path, Destination));
    }

    // A regular file is written on the thread that reads the stream, for the reasons given at DirectoryReceiver; a pipe may keep its writer waiting.
    private async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (_file is not null)
        {
            ExportFileSystem.Write(_file, data.Span, _length, Destination);
        }
        else
        {
            try
            {
                await _special!.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw ExportErrors.From(e, Destination);
            }
        }
        _length += data.Length;
        CountBytes(data.Length);
    }
}
