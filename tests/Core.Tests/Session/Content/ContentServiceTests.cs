using System.Security.Cryptography;
using BuildKit.Grpc;
using BuildKit.Oci;
using BuildKit.Protocol.Content;
using BuildKit.Session.Content;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Session.Content;

public sealed class ContentServiceTests : IDisposable
{
    private const string StoreId = "local:/somewhere";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static string Digest(byte[] content) => "sha256:" + Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();

    private string Put(byte[] content)
    {
        var digest = Digest(content);
        var path = _directory[$"blobs/sha256/{digest[7..]}"];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return digest;
    }

    private (ContentStore Store, ContentClient Client) Open(bool isWritable)
    {
        var store = new ContentStore(new OciLayout(_directory.Path)) { IsWritable = isWritable };
        var service = new ContentService();
        service.Add(StoreId, store);
        return (store, new ContentClient(service, StoreId));
    }

    private static async Task<StatusCode> FailsAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).StatusCode;

    [Fact]
    public async Task A_blob_is_read_whole_and_in_parts()
    {
        var content = Bytes(700_001);
        var digest = Put(content);
        await using var client = Open(isWritable: false).Client;

        Assert.Equal(content.Length, (await client.InfoAsync(digest)).Size);
        Assert.Equal(content, await client.ReadAsync(digest));
        Assert.Equal(content[300_000..], await client.ReadAsync(digest, 300_000));
        Assert.Equal(content[300_000..300_010], await client.ReadAsync(digest, 300_000, 10));
        Assert.Equal(content[^5..], await client.ReadAsync(digest, content.Length - 5, 1_000_000));
        Assert.Empty(await client.ReadAsync(digest, content.Length));
        Assert.Equal(StatusCode.OutOfRange, await FailsAsync(() => client.ReadAsync(digest, content.Length + 1)));
        Assert.Equal([digest], await client.ListAsync());
    }

    [Theory]
    [InlineData("sha256:../../../../etc/passwd")]
    [InlineData("../sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:abc")]
    [InlineData("")]
    public async Task What_is_no_digest_is_refused(string digest)
    {
        await using var client = Open(isWritable: true).Client;
        Assert.Equal(StatusCode.InvalidArgument, await FailsAsync(() => client.InfoAsync(digest)));
        Assert.Equal(StatusCode.InvalidArgument, await FailsAsync(() => client.ReadAsync(digest)));
        if (digest.Length > 0)
            Assert.Equal(StatusCode.InvalidArgument, await FailsAsync(() => client.WriteAsync("r", [1], digest)));
        Assert.Empty(_directory.List());
    }

    [Fact]
    public async Task A_store_is_chosen_by_its_id()
    {
        var service = new ContentService();
        service.Add("one", new ContentStore(new OciLayout(_directory.Path)));
        await using var unknown = new ContentClient(service, "two");
        Assert.Equal(StatusCode.NotFound, await FailsAsync(() => unknown.InfoAsync(Digest([]))));
    }

    [Fact]
    public async Task A_missing_blob_of_a_layout_that_is_only_read_is_named_to_the_user()
    {
        var service = new ContentService();
        service.Add(StoreId, new ContentStore(new OciLayout(_directory.Path)));
        await using var client = new ContentClient(service, StoreId);
        var digest = Digest([1]);

        var error = await Assert.ThrowsAsync<RpcException>(() => client.InfoAsync(digest));

        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        var failure = service.FailureBehind("failed to solve: failed to fetch: " + error.Status.Detail);
        Assert.Equal("BuildKit.OciBlobNotFound", failure?.ErrorId);
        Assert.Contains(digest, failure!.Message, StringComparison.Ordinal);
        Assert.Null(service.FailureBehind("process failed"));
    }

    [Fact]
    public async Task What_is_written_lies_apart_until_it_is_published()
    {
        var (store, client) = Open(isWritable: true);
        await using var _ = client;
        var content = Bytes(200_000);

        var response = await client.WriteAsync("layer", content, Digest(content));

        Assert.Equal(Digest(content), response.Digest);
        Assert.Equal(content.Length, response.Offset);
        Assert.Equal(content, await client.ReadAsync(Digest(content)));
        Assert.Equal([Digest(content)], await client.ListAsync());
        Assert.False(Directory.Exists(_directory["blobs"]));
        store.Publish();
        Assert.Equal(content, await File.ReadAllBytesAsync(_directory[$"blobs/sha256/{Digest(content)[7..]}"]));
        Assert.Equal(content, await client.ReadAsync(Digest(content)));
        store.Dispose();
        Assert.Equal(["blobs", "blobs/sha256", $"blobs/sha256/{Digest(content)[7..]}"], _directory.List());
        Assert.Equal("444", _directory.Stat($"blobs/sha256/{Digest(content)[7..]}", "%a"));
    }

    [Fact]
    public async Task Nothing_stays_of_what_was_not_published_not_even_the_directory()
    {
        var root = _directory["deep/layout"];
        var service = new ContentService();
        service.Add(StoreId, new ContentStore(new OciLayout(root)) { IsWritable = true });
        await using (var client = new ContentClient(service, StoreId))
        {
            await client.WriteAsync("whole", [1, 2, 3], Digest([1, 2, 3]));
            using var half = client.Write();
            await half.SendAsync(WriteAction.Write, "half", total: 100, data: [1]);
            Assert.True(Directory.Exists(root));
        }
        Assert.Empty(_directory.List());
    }

    [Fact]
    public async Task Content_that_is_not_what_was_announced_is_refused_and_can_be_sent_again()
    {
        await using var client = Open(isWritable: true).Client;
        byte[] content = [1, 2, 3];
        using (var wrong = client.Write())
        {
            await wrong.SendAsync(WriteAction.Stat, "r", 3, Digest(content));
            await wrong.SendAsync(WriteAction.Write, data: [3, 2, 1]);
            Assert.Equal(StatusCode.FailedPrecondition, await FailsAsync(() => wrong.SendAsync(WriteAction.Commit, offset: 3)));
        }
        using (var tooShort = client.Write())
        {
            await tooShort.SendAsync(WriteAction.Write, "r", 5, data: content);
            Assert.Equal(StatusCode.FailedPrecondition, await FailsAsync(() => tooShort.SendAsync(WriteAction.Commit, total: 5, offset: 3)));
        }
        Assert.Equal(Digest(content), (await client.WriteAsync("r", content, Digest(content))).Digest);
    }

    [Fact]
    public async Task A_broken_write_goes_on_where_it_was()
    {
        await using var client = Open(isWritable: true).Client;
        var content = Bytes(100_000);
        using (var first = client.Write())
        {
            await first.SendAsync(WriteAction.Stat, "r", content.Length, Digest(content));
            await first.SendAsync(WriteAction.Write, data: content[..60_000]);
            using var second = client.Write();
            Assert.Equal(StatusCode.Unavailable, await FailsAsync(() => second.SendAsync(WriteAction.Stat, "r")));
            Assert.Equal(StatusCode.Unavailable, await FailsAsync(() => client.AbortAsync("r")));
            await first.CloseAsync();
        }
        Assert.Equal(60_000, (await client.StatusAsync("r")).Offset);
        using var again = client.Write();
        Assert.Equal(60_000, (await again.SendAsync(WriteAction.Stat, "r", content.Length, Digest(content))).Offset);
        Assert.Equal(content.Length, (await again.SendAsync(WriteAction.Write, offset: 60_000, data: content[60_000..])).Offset);
        Assert.Equal(Digest(content), (await again.SendAsync(WriteAction.Commit, total: content.Length, expected: Digest(content), offset: content.Length)).Digest);
        Assert.Empty(await client.ListStatusesAsync());
    }

    [Fact]
    public async Task A_write_may_begin_anew_but_not_elsewhere()
    {
        await using var client = Open(isWritable: true).Client;
        using var writer = client.Write();
        await writer.SendAsync(WriteAction.Write, "r", data: [9, 9, 9]);
        await writer.SendAsync(WriteAction.Write, offset: 0, data: [1, 2]);
        Assert.Equal(Digest([1, 2]), (await writer.SendAsync(WriteAction.Commit, offset: 2)).Digest);
        using var other = client.Write();
        await other.SendAsync(WriteAction.Write, "s", data: [1]);
        Assert.Equal(StatusCode.OutOfRange, await FailsAsync(() => other.SendAsync(WriteAction.Write, offset: 7, data: [1])));
    }

    [Fact]
    public async Task An_empty_blob_can_be_written()
    {
        await using var client = Open(isWritable: true).Client;
        Assert.Equal(Digest([]), (await client.WriteAsync("empty", [], Digest([]))).Digest);
        Assert.Empty(await client.ReadAsync(Digest([])));
    }

    [Fact]
    public async Task A_digest_of_another_algorithm_is_computed_even_when_it_is_named_late()
    {
        await using var client = Open(isWritable: true).Client;
        byte[] content = [1, 2, 3];
        var digest = "sha512:" + Convert.ToHexString(SHA512.HashData(content)).ToLowerInvariant();
        using (var late = client.Write())
        {
            await late.SendAsync(WriteAction.Write, "late", data: content);
            Assert.Equal(digest, (await late.SendAsync(WriteAction.Commit, expected: digest, offset: 3)).Digest);
        }
        Assert.Equal(content, await client.ReadAsync(digest));
    }

    [Fact]
    public async Task A_blob_that_is_there_is_not_written_again_unless_its_size_is_wrong()
    {
        var content = Bytes(1000);
        var digest = Put(content);
        var (store, client) = Open(isWritable: true);
        await using var _ = client;
        Assert.Equal(StatusCode.AlreadyExists, await FailsAsync(() => client.WriteAsync("r", content, digest)));
        Assert.Equal(digest, store.LastWritten.ToString());

        File.WriteAllBytes(_directory[$"blobs/sha256/{digest[7..]}"], content[..500]);
        await client.WriteAsync("r", content, digest);
        store.Publish();
        Assert.Equal(content, await File.ReadAllBytesAsync(_directory[$"blobs/sha256/{digest[7..]}"]));
    }

    [Fact]
    public async Task What_is_aborted_is_gone()
    {
        await using var client = Open(isWritable: true).Client;
        using (var writer = client.Write())
        {
            await writer.SendAsync(WriteAction.Write, "r", data: [1]);
            await writer.CloseAsync();
        }
        await client.AbortAsync("r");
        Assert.Equal(StatusCode.NotFound, await FailsAsync(() => client.StatusAsync("r")));
        Assert.Equal(StatusCode.NotFound, await FailsAsync(() => client.AbortAsync("r")));
    }

    [Fact]
    public async Task A_store_for_reading_takes_nothing()
    {
        await using var client = Open(isWritable: false).Client;
        Assert.Equal(StatusCode.FailedPrecondition, await FailsAsync(() => client.WriteAsync("r", [1], Digest([1]))));
        Assert.Empty(_directory.List());
    }

    [Fact]
    public async Task A_reference_is_no_path()
    {
        var (store, client) = Open(isWritable: true);
        await using var _ = client;
        foreach (var reference in new[] { "../../outside", "/etc/x", "a/b", new string('r', 5000), "\0" })
            await client.WriteAsync(reference, [(byte)reference.Length], Digest([(byte)reference.Length]));
        store.Publish();
        store.Dispose();
        Assert.Equal(["blobs"], Directory.EnumerateFileSystemEntries(_directory.Path).Select(Path.GetFileName));
        using var unnamed = client.Write();
        Assert.Equal(StatusCode.InvalidArgument, await FailsAsync(() => unnamed.SendAsync(WriteAction.Stat)));
    }

    [SkippableFact]
    public async Task A_full_disk_is_named_and_left_empty()
    {
        using var disk = SmallDisk.Mount(_directory["disk"]);
        var service = new ContentService();
        service.Add(StoreId, new ContentStore(new OciLayout(_directory["disk/layout"])) { IsWritable = true });
        var content = Bytes(3_000_000);
        await using (var client = new ContentClient(service, StoreId))
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => client.WriteAsync("r", content, Digest(content)));
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            Assert.Equal("BuildKit.OutputDiskFull", service.FailureBehind(error.Status.Detail)?.ErrorId);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory["disk"]));
    }
}
