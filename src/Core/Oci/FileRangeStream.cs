using BuildKit.Files;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Oci;

/// <summary>Reads a part of a file forward. Several of them may read one file at the same time.</summary>
/// <param name="file">The file.</param>
/// <param name="offset">Where the part begins.</param>
/// <param name="length">How long it is.</param>
/// <param name="ownsFile">Whether the file is closed with this; otherwise it stays open.</param>
internal sealed class FileRangeStream(SafeFileHandle file, long offset, long length, bool ownsFile = false) : ReadOnlyStream
{
    public override long Length => length;

    public override int Read(Span<byte> buffer)
    {
        var count = RandomAccess.Read(file, buffer[..Limit(buffer.Length)], offset + BytesRead);
        BytesRead += count;
        return count;
    }

    // A file keeps nobody waiting for long; to go over another thread for every piece costs more than to read it.
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && ownsFile)
            file.Dispose();
        base.Dispose(disposing);
    }

    private int Limit(int wanted) => (int)Math.Min(wanted, length - BytesRead);
}
