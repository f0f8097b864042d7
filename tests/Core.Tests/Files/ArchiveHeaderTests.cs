using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using BuildKit.Files;
using Xunit;

namespace BuildKit.Tests.Files;

public sealed class ArchiveHeaderTests
{
    [Theory]
    [InlineData(TarEntryFormat.V7, ArchiveKind.Tar)]
    [InlineData(TarEntryFormat.Ustar, ArchiveKind.Tar)]
    [InlineData(TarEntryFormat.Gnu, ArchiveKind.Tar)]
    [InlineData(TarEntryFormat.Pax, ArchiveKind.ExtendedTar)]
    public void A_tar_archive_is_known_by_its_first_header(TarEntryFormat format, object kind)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, format, leaveOpen: true))
            writer.WriteEntry(Path.GetTempPath(), "d");
        Assert.Equal(kind, ArchiveHeader.Detect(tar.ToArray().AsSpan(0, ArchiveHeader.Length)));
    }

    [Fact]
    public void Anything_else_is_told_apart()
    {
        using var gzip = new MemoryStream();
        using (var compressor = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
            compressor.Write("text"u8);
        Assert.Equal(ArchiveKind.Compressed, ArchiveHeader.Detect(gzip.ToArray()));
        Assert.Equal(ArchiveKind.Compressed, ArchiveHeader.Detect("BZh91AY"u8));
        Assert.Equal(ArchiveKind.Compressed, ArchiveHeader.Detect([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 1]));
        Assert.Equal(ArchiveKind.Text, ArchiveHeader.Detect("# süß\r\nFROM\tscratch\n"u8));
        Assert.Equal(ArchiveKind.Text, ArchiveHeader.Detect(Encoding.ASCII.GetBytes(new string('F', 1024))));
        Assert.Equal(ArchiveKind.Empty, ArchiveHeader.Detect([]));
        Assert.Equal(ArchiveKind.Other, ArchiveHeader.Detect(new byte[1024]));
        Assert.Equal(ArchiveKind.Other, ArchiveHeader.Detect([0x28, 0xB5, 0x2F, 0xFD]));
        var damaged = ArchiveHeader.GlobalHeader.ToArray();
        damaged[0] ^= 1;
        Assert.Equal(ArchiveKind.Other, ArchiveHeader.Detect(damaged));
    }

    [Fact]
    public void The_header_put_before_is_an_archive_of_its_own_that_holds_no_file()
    {
        Assert.Equal(ArchiveHeader.Length, ArchiveHeader.GlobalHeader.Length);
        Assert.Equal(ArchiveKind.Tar, ArchiveHeader.Detect(ArchiveHeader.GlobalHeader.Span));
        using var reader = new TarReader(new MemoryStream([.. ArchiveHeader.GlobalHeader.Span, .. new byte[1024]]));
        var entry = Assert.IsType<PaxGlobalExtendedAttributesTarEntry>(reader.GetNextEntry());
        Assert.Equal("context", entry.GlobalExtendedAttributes["comment"]);
        Assert.Null(reader.GetNextEntry());
    }
}
