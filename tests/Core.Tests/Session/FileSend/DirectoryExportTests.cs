using System.Text;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session;
using BuildKit.Session.FileSend;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.FileSend;

public sealed class DirectoryExportTests : IDisposable
{
    private readonly TemporaryDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_tree_arrives_with_content_modes_times_and_links()
    {
        var big = new byte[100_000];
        new Random(1).NextBytes(big);
        await ExportAsync(
            _temp["out"],
            Entries.Dir("bin", 0x1C9, 1_600_000_000_000_000_001),
            Entries.File("bin/big", big, 0x1ED | GoFileMode.SetUid, 1_500_000_000_999_999_999),
            Entries.Symlink("bin/sh", "/absolute/and/../outside", 1_400_000_000_000_000_005),
            Entries.Dir("bin/zz", 0x140, -1_500_000_001),
            Entries.File("bin/zz/readonly", "r", 0x100),
            Entries.File("empty", ""),
            Entries.HardLink("name", "bin/big"),
            Entries.File("ünï😀", "unicode"));

        Assert.Equal(["out", "out/bin", "out/bin/big", "out/bin/sh", "out/bin/zz", "out/bin/zz/readonly", "out/empty", "out/name", "out/ünï😀"], _temp.List());
        Assert.Equal(big, await File.ReadAllBytesAsync(_temp["out/bin/big"]));
        Assert.Equal("", await File.ReadAllTextAsync(_temp["out/empty"]));
        Assert.Equal("unicode", await File.ReadAllTextAsync(_temp["out/ünï😀"]));
        Assert.Equal("/absolute/and/../outside", new FileInfo(_temp["out/bin/sh"]).LinkTarget);
        Assert.Equal("4755 2", _temp.Stat("out/bin/big", "%a %h"));
        Assert.Equal(_temp.Stat("out/bin/big", "%i"), _temp.Stat("out/name", "%i"));
        Assert.Equal("711", _temp.Stat("out/bin", "%a"));
        Assert.Equal("500", _temp.Stat("out/bin/zz", "%a"));
        Assert.Equal("400", _temp.Stat("out/bin/zz/readonly", "%a"));
        Assert.Equal("1600000000.000000001", _temp.Stat("out/bin", "%.9Y"));
        Assert.Equal("1500000000.999999999", _temp.Stat("out/bin/big", "%.9Y"));
        Assert.Equal("1400000000.000000005", _temp.Stat("out/bin/sh", "%.9Y"));
        // coreutils prints -1.5 s as it is stored: -2 s and 499999999 ns later.
        Assert.Equal("1969-12-31 23:59:58.499999999 +0000", Utc("out/bin/zz"));
        Assert.Equal($"{Environment.UserName}", _temp.Stat("out/bin/big", "%U"));
    }

    [SkippableFact]
    public async Task Pipes_devices_and_attributes_arrive_where_they_are_permitted()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "device nodes need root");
        var withAttribute = Entries.File("attribute", "x");
        withAttribute.Stat.Xattrs.Add("user.colour", ByteString.CopyFromUtf8("blue"));
        withAttribute.Stat.Xattrs.Add("nonsense.namespace", ByteString.CopyFromUtf8("refused by the kernel"));
        var directory = Entries.Dir("dir");
        directory.Stat.Xattrs.Add("trusted.dir", ByteString.CopyFromUtf8("yes"));
        await ExportAsync(
            _temp["out"],
            withAttribute,
            Entries.Special("block", GoFileMode.Device | 0x1B0, 259, 70_000),
            Entries.Special("char", GoFileMode.Device | GoFileMode.CharDevice | 0x1B6, 1, 3),
            directory,
            Entries.Special("pipe", GoFileMode.NamedPipe | 0x1B6));

        Assert.Equal("block special file 660 103:11170", _temp.Stat("out/block", "%F %a %t:%T"));
        Assert.Equal("character special file 666 1:3", _temp.Stat("out/char", "%F %a %t:%T"));
        Assert.Equal("fifo 666 1700000000.123456789", _temp.Stat("out/pipe", "%F %a %.9Y"));
        Assert.Equal("blue", GetAttribute("out/attribute", "user.colour"));
        Assert.Equal("yes", GetAttribute("out/dir", "trusted.dir"));
    }

    [Fact]
    public async Task Nothing_is_in_place_before_commit_and_nothing_remains_without_it()
    {
        var target = new DirectoryExportTarget(_temp["new/parents/out"]);
        await using (var service = Service(target))
        {
            await new FakeDaemon(service).SendTreeAsync([Entries.Dir("d", 0x140), Entries.File("d/f", "content")]);
            Assert.False(Directory.Exists(_temp["new/parents/out"]));
            Assert.Equal(7, target.BytesWritten);
        }
        Assert.Empty(_temp.List());
    }

    [Fact]
    public async Task An_abort_in_the_middle_ends_the_call_and_leaves_an_existing_directory_as_it_was()
    {
        Directory.CreateDirectory(_temp["out"]);
        await File.WriteAllTextAsync(_temp["out/old"], "old");
        var service = Service(new DirectoryExportTarget(_temp["out"]));
        var daemon = new FakeDaemon(service);
        var id = await daemon.StatAsync(Entries.File("file", new byte[10]).Stat);
        await daemon.ReplyAsync();
        await daemon.DataAsync(id, new byte[5]);
        await service.DisposeAsync().AsTask().WaitAsync(Poll.Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => daemon.Call.WaitAsync(Poll.Patience));
        Assert.Equal(["out", "out/old"], _temp.List());
        Assert.Null(service.Failure);
    }

    [Fact]
    public async Task A_reset_by_the_daemon_is_not_our_failure()
    {
        await using var service = Service(new DirectoryExportTarget(_temp["out"]));
        var daemon = new FakeDaemon(service);
        await daemon.StatAsync(Entries.File("file", new byte[10]).Stat);
        daemon.Reset();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => daemon.Call.WaitAsync(Poll.Patience));
        Assert.Null(service.Failure);
        var error = await Assert.ThrowsAsync<ExportException>(() => service.CommitAsync(default).AsTask());
        Assert.Equal("BuildKit.OutputIncomplete", error.ErrorId);
    }

    [Fact]
    public async Task An_error_packet_of_the_daemon_is_not_our_failure()
    {
        await using var service = Service(new DirectoryExportTarget(_temp["out"]));
        var daemon = new FakeDaemon(service);
        await daemon.SendAsync(new Packet { Type = Packet.Types.PacketType.PacketErr, Data = ByteString.CopyFromUtf8("lstat: no such file") });
        var error = await Assert.ThrowsAsync<RpcException>(() => daemon.Call.WaitAsync(Poll.Patience));
        Assert.Contains("lstat: no such file", error.Status.Detail, StringComparison.Ordinal);
        Assert.Null(service.Failure);
    }

    [Fact]
    public async Task Committing_without_a_transfer_is_an_error()
    {
        await using var service = Service(new DirectoryExportTarget(_temp["out"]));
        var error = await Assert.ThrowsAsync<ExportException>(() => service.CommitAsync(default).AsTask());
        Assert.Equal("BuildKit.OutputIncomplete", error.ErrorId);
        Assert.Empty(_temp.List());
    }

    [Fact]
    public async Task An_empty_result_makes_an_empty_directory()
    {
        await ExportAsync(_temp["out"]);
        Assert.Equal(["out"], _temp.List());
    }

    [Fact]
    public async Task An_existing_directory_is_merged_as_buildx_does()
    {
        Directory.CreateDirectory(_temp["out/shared/deep"]);
        Directory.CreateDirectory(_temp["out/becomes-file/full"]);
        Directory.CreateDirectory(_temp["elsewhere"]);
        await File.WriteAllTextAsync(_temp["out/stays"], "stays");
        await File.WriteAllTextAsync(_temp["out/shared/stays"], "stays");
        await File.WriteAllTextAsync(_temp["out/shared/replaced"], "old");
        await File.WriteAllTextAsync(_temp["out/becomes-dir"], "file");
        await File.WriteAllTextAsync(_temp["elsewhere/precious"], "precious");
        File.CreateSymbolicLink(_temp["out/link-to-dir"], _temp["elsewhere"]);
        File.CreateSymbolicLink(_temp["out/link-to-file"], _temp["elsewhere/precious"]);

        await ExportAsync(
            _temp["out"],
            Entries.Dir("becomes-dir"),
            Entries.File("becomes-dir/f", "f"),
            Entries.File("becomes-file", "file"),
            Entries.Dir("link-to-dir"),
            Entries.File("link-to-dir/precious", "from the daemon"),
            Entries.File("link-to-file", "from the daemon"),
            Entries.Dir("new", 0x140),
            Entries.File("new/f", "f"),
            Entries.Dir("shared", 0x1C0),
            Entries.Dir("shared/deep", 0x1F8),
            Entries.File("shared/deep/f", "f"),
            Entries.File("shared/replaced", "new"));

        Assert.Equal(
            ["elsewhere", "elsewhere/precious", "out", "out/becomes-dir", "out/becomes-dir/f", "out/becomes-file", "out/link-to-dir", "out/link-to-dir/precious", "out/link-to-file", "out/new",
                "out/new/f", "out/shared", "out/shared/deep", "out/shared/deep/f", "out/shared/replaced", "out/shared/stays", "out/stays"],
            _temp.List());
        Assert.Equal("precious", await File.ReadAllTextAsync(_temp["elsewhere/precious"]));
        Assert.Equal("from the daemon", await File.ReadAllTextAsync(_temp["out/link-to-dir/precious"]));
        Assert.Equal("from the daemon", await File.ReadAllTextAsync(_temp["out/link-to-file"]));
        Assert.Equal("new", await File.ReadAllTextAsync(_temp["out/shared/replaced"]));
        Assert.Equal("directory", _temp.Stat("out/link-to-dir", "%F"));
        Assert.Equal("700 1700000000.123456789", _temp.Stat("out/shared", "%a %.9Y"));
        Assert.Equal("770", _temp.Stat("out/shared/deep", "%a"));
        Assert.Equal("500", _temp.Stat("out/new", "%a"));
    }

    [Fact]
    public async Task Platforms_may_be_sent_at_the_same_time_and_may_share_directories()
    {
        var service = Service(new DirectoryExportTarget(_temp["out"]));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => new FakeDaemon(service, ("buildkit-attachable-exporter-id", "0")).SendTreeAsync(
            [Entries.Dir("shared"), .. Enumerable.Range(100, 50).Select(n => Entries.File($"shared/{i}-{n}", $"{i}{n}"))])));
        await service.CommitAsync(default);
        await service.DisposeAsync();
        Assert.Equal(["out", "out/shared"], _temp.List()[..2]);
        Assert.Equal(202, _temp.List().Length);
        Assert.Equal("3120", await File.ReadAllTextAsync(_temp["out/shared/3-120"]));
    }

    [Fact]
    public async Task More_files_than_fit_into_the_request_window_arrive()
    {
        (Stat, byte[]?)[] entries = [.. Enumerable.Range(10_000, 3_000).Select(n => Entries.File($"{n}", $"{n}"))];
        await ExportAsync(_temp["out"], entries);
        Assert.Equal(3_001, _temp.List().Length);
        Assert.Equal("12999", await File.ReadAllTextAsync(_temp["out/12999"]));
    }

    [SkippableFact]
    public async Task A_full_disk_is_a_typed_error_and_leaves_nothing()
    {
        using var disk = SmallDisk.Mount(_temp["disk"]);
        var target = new DirectoryExportTarget(_temp["disk/out"]);
        var service = Service(target);
        var daemon = new FakeDaemon(service);
        var rpc = await Assert.ThrowsAsync<RpcException>(() => daemon.SendTreeAsync([Entries.File("a", new byte[600_000]), Entries.File("b", new byte[600_000])]));
        Assert.Equal(StatusCode.ResourceExhausted, rpc.StatusCode);
        Assert.Equal("BuildKit.OutputDiskFull", service.Failure!.ErrorId);
        Assert.NotNull(service.Failure.RecommendedAction);
        // The user's own path, and not that of the staging area.
        Assert.StartsWith(_temp["disk/out/"], service.Failure.Target, StringComparison.Ordinal);
        Assert.DoesNotContain("partial", service.Failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ExportException>(() => service.CommitAsync(default).AsTask());
        await service.DisposeAsync();
        Assert.Equal(["disk"], _temp.List());
    }

    [Fact]
    public void A_file_at_the_destination_is_refused_at_once()
    {
        File.WriteAllText(_temp["file"], "");
        File.CreateSymbolicLink(_temp["dangling"], _temp["nowhere"]);
        Assert.Equal("BuildKit.OutputDestinationInvalid", Assert.Throws<ExportException>(() => new DirectoryExportTarget(_temp["file"])).ErrorId);
        Assert.Equal("BuildKit.OutputDestinationInvalid", Assert.Throws<ExportException>(() => new DirectoryExportTarget(_temp["dangling"])).ErrorId);
    }

    [Fact]
    public async Task A_link_to_a_directory_as_the_destination_is_followed()
    {
        Directory.CreateDirectory(_temp["real"]);
        File.CreateSymbolicLink(_temp["link"], _temp["real"]);
        await ExportAsync(_temp["link"], Entries.File("f", "f"));
        Assert.Equal(["link", "real", "real/f"], _temp.List().Where(path => path != "link/f"));
        Assert.Equal("symbolic link", _temp.Stat("link", "%F"));
    }

    [SkippableFact]
    public async Task A_destination_without_rights_is_a_typed_error()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "a read-only mount needs root");
        using var disk = SmallDisk.Mount(_temp["disk"], "size=1m,ro");
        var service = Service(new DirectoryExportTarget(_temp["disk/new/out"]));
        await Assert.ThrowsAsync<RpcException>(() => new FakeDaemon(service).SendTreeAsync([Entries.File("a", "a")]));
        Assert.Equal("BuildKit.OutputDenied", service.Failure!.ErrorId);
        Assert.Contains("read-only", service.Failure.Message, StringComparison.Ordinal);
        await service.DisposeAsync();
    }

    [SkippableFact]
    public async Task A_mount_within_the_destination_can_not_be_merged_into_and_says_so()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess && OperatingSystem.IsLinux(), "mounting needs root");
        Directory.CreateDirectory(_temp["out"]);
        using var disk = SmallDisk.Mount(_temp["out/mount"]);
        await using var service = Service(new DirectoryExportTarget(_temp["out"]));
        await new FakeDaemon(service).SendTreeAsync([Entries.Dir("mount"), Entries.File("mount/a", "a")]);
        var error = await Assert.ThrowsAsync<ExportException>(() => service.CommitAsync(default).AsTask());
        Assert.Equal("BuildKit.OutputFailed", error.ErrorId);
        Assert.Contains("another file system is mounted within it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_failure_is_kept()
    {
        await using var service = new FileSendService(
            new Dictionary<int, ExportTarget> { [0] = new DirectoryExportTarget(_temp["a"]), [1] = new DirectoryExportTarget(_temp["b"]) });
        await Assert.ThrowsAsync<RpcException>(() => new FakeDaemon(service, ("buildkit-attachable-exporter-id", "1")).SendTreeAsync([Entries.File("/abs", "x")]));
        await Assert.ThrowsAsync<RpcException>(() => new FakeDaemon(service, ("buildkit-attachable-exporter-id", "0")).SendTreeAsync([Entries.File("../up", "x")]));
        Assert.Equal(_temp["b"], service.Failure!.Target);
    }

    private static FileSendService Service(ExportTarget target) => new(new Dictionary<int, ExportTarget> { [0] = target });

    private static async Task ExportAsync(string destination, params (Stat, byte[]?)[] entries)
    {
        await using var service = Service(new DirectoryExportTarget(destination));
        await new FakeDaemon(service, ("buildkit-attachable-exporter-id", "0")).SendTreeAsync(entries);
        await service.CommitAsync(default);
    }

    private string Utc(string name) => TemporaryDirectory.Run("env", "TZ=UTC", "stat", "-c", "%y", _temp[name]);

    private string GetAttribute(string name, string attribute)
    {
        var buffer = new byte[256];
        var length = TestNative.GetXattr(_temp[name], attribute, buffer, (nuint)buffer.Length);
        return length < 0 ? throw new IOException($"lgetxattr: {length}") : Encoding.UTF8.GetString(buffer, 0, (int)length);
    }
}
