using BuildKit.Solve.Nodes;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

public sealed class ArchiveCopyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("buildkit-copy-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Each_reader_gets_all_of_it_and_nothing_stays()
    {
        var content = new byte[1_000_000];
        Random.Shared.NextBytes(content);
        await using (var copy = await ArchiveCopy.CreateAsync(new MemoryStream(content), _folder.FullName, default))
        {
            foreach (var reader in new[] { copy.Open(), copy.Open() })
            {
                using var read = new MemoryStream();
                await reader.CopyToAsync(read);
                Assert.Equal(content, read.ToArray());
            }
        }
        Assert.Empty(_folder.EnumerateFiles());
    }

    [Fact]
    public async Task A_folder_that_nothing_can_be_written_to_is_named()
    {
        var missing = Path.Combine(_folder.FullName, "missing");
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => ArchiveCopy.CreateAsync(new MemoryStream(), missing, default));
        Assert.Equal(("BuildKit.ContextNotKept", missing), (failure.ErrorId, failure.Target));
    }

    [SkippableFact]
    public async Task A_disk_that_is_full_is_not_the_archives_fault()
    {
        var path = Path.Combine(_folder.FullName, "small");
        using (SmallDisk.Mount(path))
        {
            var failure = await Assert.ThrowsAsync<BuildKitException>(() => ArchiveCopy.CreateAsync(new MemoryStream(new byte[3_000_000]), path, default));
            Assert.Equal("BuildKit.ContextNotKept", failure.ErrorId);
            Assert.Empty(Directory.EnumerateFiles(path));
        }
    }
}
