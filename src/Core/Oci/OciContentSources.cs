using System.IO.Compression;
using BuildKit.Files;
using Microsoft.Win32.SafeHandles;

namespace BuildKit.Oci;

/// <summary>Opens layouts, whatever form they have.</summary>
public static class OciContentSources
{
    private static readonly byte[] GzipMagic = [0x1F, 0x8B];
    private static readonly byte[] ZstdMagic = [0x28, 0xB5, 0x2F, 0xFD];

    /// <summary>Opens a layout directory, a tar archive of one, or an <c>index.json</c>.</summary>
    /// <param name="path">
    /// The path. A plain archive is read in place. One compressed by gzip can't be read from its middle: it is expanded once into a nameless file in the directory for
    /// temporary files (<c>TMPDIR</c>), which is gone with the source.
    /// </param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>The source; the caller disposes it.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutNotFound</c>, <c>BuildKit.OciLayoutInvalid</c>, <c>BuildKit.OciArchiveInvalid</c>, <c>BuildKit.OciLayoutDenied</c>.</exception>
    public static async Task<OciLayoutSource> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            return new OciDirectorySource(new OciLayout(full), full);
        if (!File.Exists(full))
            throw OciErrors.NotFound(full);
        if (!OperatingSystem.IsWindows() && UnixNative.IsSpecialFile(full))
            throw OciErrors.NotALayout(full, "it is no regular file", "Write it into a file first.");
        try
        {
            var file = File.OpenHandle(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return await OpenFileAsync(full, file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OciErrors.From(full, e);
        }
    }

    /// <summary>The layout that an index file belongs to.</summary>
    internal static OciLayout LayoutOf(string indexPath) => new(Path.GetDirectoryName(indexPath)!, Path.GetFileName(indexPath));

    /// <summary>Opens an archive, or an index file.</summary>
    /// <param name="path">Where it lies, or what a person calls it.</param>
    /// <param name="file">The open file; disposed with the source, or where this fails.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    internal static async Task<OciLayoutSource> OpenFileAsync(string path, SafeFileHandle file, CancellationToken cancellationToken)
    {
        try
        {
            var head = new byte[ArchiveHeader.Length];
            head = head[..RandomAccess.Read(file, head, 0)];
            var isCompressed = head.AsSpan().StartsWith(GzipMagic);
            if (isCompressed)
            {
                var expanded = await ExpandAsync(path, file, cancellationToken).ConfigureAwait(false);
                file.Dispose();
                file = expanded;
            }
            else if (head.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'{', ..])
            {
                file.Dispose();
                return new OciDirectorySource(LayoutOf(path), path);
            }
            else if (ArchiveHeader.Detect(head) is not (ArchiveKind.Tar or ArchiveKind.ExtendedTar))
            {
                throw head.AsSpan().StartsWith(ZstdMagic) || ArchiveHeader.Detect(head) == ArchiveKind.Compressed
                    ? OciErrors.NotALayout(path, "it is compressed in another way than by gzip", "Expand it first: zstd -d, bzip2 -d or xz -d.")
                    : OciErrors.NotALayout(path, "its beginning is not that of a tar archive", "Name a layout directory, a tar archive of one, or an index.json.");
            }
            return new OciArchiveSource(path, file, isCompressed, cancellationToken);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static async Task<SafeFileHandle> ExpandAsync(string path, SafeFileHandle file, CancellationToken cancellationToken)
    {
        // Only its handle is used, which stays open when the stream is forgotten.
        var expanded = OciFile.CreateNameless().SafeFileHandle;
        try
        {
            var compressed = new FileRangeStream(file, 0, RandomAccess.GetLength(file));
            var gzip = new GZipStream(compressed, CompressionMode.Decompress);
            await using (gzip.ConfigureAwait(false))
            {
                var buffer = new byte[1 << 17];
                long at = 0;
                for (int count; (count = await gzip.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0; at += count)
                    Write(buffer.AsSpan(0, count), at);
            }
            return expanded;
        }
        catch (InvalidDataException e)
        {
            expanded.Dispose();
            throw OciErrors.ArchiveInvalid(path, $"its compression is damaged: {e.Message}", e);
        }
        catch
        {
            expanded.Dispose();
            throw;
        }

        void Write(ReadOnlySpan<byte> bytes, long at)
        {
            try
            {
                RandomAccess.Write(expanded, bytes, at);
            }
            catch (IOException e)
            {
                throw OciErrors.Temporary(e);
            }
        }
    }
}
