using System.Security.Cryptography;
using BuildKit.Oci;
using BuildKit.Session.FileSend;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Session.Content;

/// <summary>A blob that is being written. It outlives the call that writes it, so that a daemon whose call broke can go on where it was.</summary>
internal sealed class ContentIngest : IDisposable
{
    private readonly string _path;
    private readonly string _shown;
    private IncrementalHash _hash;
    private SafeFileHandle? _file;

    /// <param name="reference">What the daemon calls it.</param>
    /// <param name="path">The file, which must not exist.</param>
    /// <param name="shown">What errors call it.</param>
    /// <param name="algorithm">What its digest is expected to be computed with.</param>
    /// <exception cref="ExportException">The file can't be made.</exception>
    public ContentIngest(string reference, string path, string shown, HashAlgorithmName algorithm)
    {
        Ref = reference;
        _path = path;
        _shown = shown;
        _hash = IncrementalHash.CreateHash(algorithm);
        _file = ExportFileSystem.CreateFile(new EntryPath(path, path, shown));
        StartedAt = UpdatedAt = DateTimeOffset.UtcNow;
    }

    public string Ref { get; }

    public DateTimeOffset StartedAt { get; }

    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>How many bytes there are.</summary>
    public long Offset { get; private set; }

    /// <summary>How many bytes the daemon announced, or 0.</summary>
    public long Total { get; set; }

    /// <summary>The digest the daemon announced, or null.</summary>
    public OciDigest? Expected { get; set; }

    /// <summary>Whether a call is writing it now.</summary>
    public bool IsInUse { get; set; }

    /// <exception cref="ExportException">The disk is full, or the like.</exception>
    public void Append(ReadOnlySpan<byte> data)
    {
        ExportFileSystem.Write(_file!, data, Offset, new EntryPath(_path, _path, _shown));
        _hash.AppendData(data);
        Offset += data.Length;
        UpdatedAt = DateTimeOffset.UtcNow;
    }

    /// <summary>Forgets what was written.</summary>
    public void Restart()
    {
        ExportFileSystem.Guard(_shown, _ => RandomAccess.SetLength(_file!, 0));
        _hash.GetHashAndReset();
        Offset = 0;
    }

    /// <summary>Closes the file and tells its digest.</summary>
    /// <exception cref="ExportException">It can't be closed or read again.</exception>
    public OciDigest Finish()
    {
        ExportFileSystem.CloseFile(_file!, new EntryPath(_path, _path, _shown));
        _file = null;
        // The algorithm may have become known with the commit only.
        if (Expected is { } expected && expected.HashAlgorithm != _hash.AlgorithmName)
            Rehash(expected.HashAlgorithm);
        return OciDigest.FromHash(_hash.AlgorithmName, _hash.GetHashAndReset());
    }

    /// <summary>Moves the finished file to where it belongs.</summary>
    public void MoveTo(string path)
    {
        ExportFileSystem.Guard(_shown, _ => MakeReadOnly(_path));
        ExportFileSystem.Rename(_path, path);
    }

    public void Dispose()
    {
        _hash.Dispose();
        _file?.Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It goes away with its directory, or that has gone already.
        }
    }

    // As containerd leaves its blobs: nobody is to change them.
    private static void MakeReadOnly(string path)
    {
        const UnixFileMode ReadOnly = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) & ReadOnly);
    }

    private void Rehash(HashAlgorithmName algorithm)
    {
        _hash.Dispose();
        _hash = IncrementalHash.CreateHash(algorithm);
        ExportFileSystem.Guard(_shown, _ =>
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var buffer = new byte[128 * 1024];
            for (int read; (read = file.Read(buffer)) > 0;)
                _hash.AppendData(buffer, 0, read);
        });
    }
}
