using System.Text;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session.FileSync;
using BuildKit.Session.FileSync.Walk;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

public sealed class FileSyncServiceTests : IDisposable
{
    private readonly TempTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void It_serves_one_method() => Assert.Equal(["/moby.filesync.v1.FileSync/DiffCopy"], Service().Definition.MethodNames);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_directory_arrives_as_it_is(bool eager)
    {
        var random = new Random(1);
        var files = new Dictionary<string, byte[]>();
        foreach (var size in new[] { 0, 1, 4096, PacketBatch.Capacity - 1, PacketBatch.Capacity, PacketBatch.Capacity + 1, 1_000_000 })
        {
            var content = new byte[size];
            random.NextBytes(content);
            _tree.File($"sub/file-{size}");
            File.WriteAllBytes(_tree.Full($"sub/file-{size}"), content);
            files.Add($"sub/file-{size}", content);
        }

        for (var i = 0; i < 500; i++)
        {
            _tree.File($"many/{i:D3}", $"content {i}");
            files.Add($"many/{i:D3}", Encoding.UTF8.GetBytes($"content {i}"));
        }

        var daemon = new FakeDaemon { Eager = eager };
        await daemon.CallAsync(Service());

        Assert.True(daemon.Finished);
        Assert.Equal([.. files.Keys, "many", "sub"], daemon.Paths.ToHashSet());
        Assert.Equal(daemon.Paths.Order(StringComparer.Ordinal), daemon.Paths);
        foreach (var (path, content) in files)
            Assert.Equal(content, daemon.ContentOf(path));
        Assert.Equal(PacketBatch.Capacity, daemon.LargestData);
        Assert.Empty(daemon.Errors);
    }

    [Fact]
    public async Task Files_are_sent_while_others_are_still_being_listed()
    {
        for (var i = 0; i < 2000; i++)
            _tree.File($"{i:D4}", "x");
        var dataBeforeEnd = false;
        var listed = false;
        var first = new TaskCompletionSource();
        var daemon = new FakeDaemon
        {
            Received = packet =>
            {
                listed |= packet.Type == Packet.Types.PacketType.PacketStat && packet.Stat is null;
                dataBeforeEnd |= packet.Type == Packet.Types.PacketType.PacketData && !listed;
                // Slow enough for the others to have their turn on a machine with one processor.
                if (packet.Type == Packet.Types.PacketType.PacketStat && !dataBeforeEnd)
                    Thread.Sleep(1);
            },
        };
        await daemon.CallAsync(Service());
        Assert.True(dataBeforeEnd);
        Assert.Equal(2000, daemon.Content.Count);
    }

    [Fact]
    public async Task What_the_receiver_has_it_need_not_ask_for()
    {
        _tree.File("a", "1").File("b", "2");
        var daemon = new FakeDaemon { Wants = stat => stat.Path == "b" };
        await daemon.CallAsync(Service());
        Assert.Equal(["a", "b"], daemon.Paths);
        Assert.Single(daemon.Content);
        Assert.Equal("2"u8.ToArray(), daemon.ContentOf("b"));
    }

    [Fact]
    public async Task Metadata_choose_what_is_sent()
    {
        _tree.Files("a/x.cs", "a/y.txt", "b", "c ü", "d%41").Symlink("link", "b");
        Assert.Equal(["a", "a/x.cs"], await PathsAsync(("include-patterns", "a"), ("exclude-patterns", "**/*.txt")));
        Assert.Equal(["a", "a/x.cs", "b"], await PathsAsync(("include-patterns", "a/x.cs"), ("include-patterns", "b")));
        Assert.Equal(["b", "link"], await PathsAsync(("followpaths", "link")));
        Assert.Equal(["c ü"], await PathsAsync(("followpaths", "c+%C3%BC"), ("followpaths-encoded", "1")));
        Assert.Equal(["c ü"], await PathsAsync(("include-patterns", Encoding.Latin1.GetString("c ü"u8))));
        Assert.Equal(["d%41"], await PathsAsync(("include-patterns", "d%41")));
        Assert.Equal(["d%41"], await PathsAsync(("include-patterns", "d%41"), ("include-patterns-encoded", "0")));
        Assert.Equal(
            ["b"],
            await PathsAsync(("include-patterns", "%62"), ("include-patterns", "%zz"), ("include-patterns", "%"), ("include-patterns-encoded", "true")));
        Assert.Equal(["a", "a/x.cs", "a/y.txt", "b", "c ü", "d%41", "link"], await PathsAsync());
    }

    [Fact]
    public async Task A_source_may_leave_out_files_of_its_own()
    {
        _tree.Files("a/x", "a/y", "b");
        var service = new FileSyncService([FileSyncSource.FromDirectory("context", _tree.Root) with { ExcludePatterns = ["a/y", "b"] }]);
        var daemon = new FakeDaemon();
        await daemon.CallAsync(service, metadata: ("exclude-patterns", "!b"));
        Assert.Equal(["a", "a/x"], daemon.Paths);
    }

    [SkippableFact]
    public async Task Owners_are_reset_unless_they_are_to_be_kept()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.Files("a");
        using var chown = System.Diagnostics.Process.Start("chown", ["12:34", _tree.Full("a")]);
        await chown.WaitForExitAsync();
        Skip.IfNot(chown.ExitCode == 0, "needs root");
        var reset = new FakeDaemon();
        await reset.CallAsync(Service());
        Assert.Equal((0u, 0u), (reset.Stats[0].Uid, reset.Stats[0].Gid));
        var kept = new FakeDaemon();
        await kept.CallAsync(new FileSyncService([FileSyncSource.FromDirectory("context", _tree.Root) with { KeepOwner = true }]));
        Assert.Equal((12u, 34u), (kept.Stats[0].Uid, kept.Stats[0].Gid));
    }

    [Fact]
    public async Task Files_in_memory_are_sent_like_others()
    {
        var service = new FileSyncService(
        [
            FileSyncSource.FromDirectory("context", _tree.Root),
            FileSyncSource.FromFiles(
                "dockerfile", new Dictionary<string, ReadOnlyMemory<byte>> { ["Dockerfile"] = "FROM scratch"u8.ToArray(), ["x"] = default }),
        ]);
        var daemon = new FakeDaemon();
        await daemon.CallAsync(service, "dockerfile", default, ("followpaths", "Dockerfile"), ("followpaths", "Dockerfile.dockerignore"));
        Assert.Equal(["Dockerfile"], daemon.Paths);
        Assert.Equal("FROM scratch"u8.ToArray(), daemon.ContentOf("Dockerfile"));
        Assert.Equal(0x1A4u, daemon.Stats[0].Mode);
    }

    [SkippableFact]
    public async Task A_socket_arrives_as_an_empty_file_and_a_pipe_without_content()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.Socket("s").Fifo("p").Symlink("l", "nowhere");
        var daemon = new FakeDaemon();
        await daemon.CallAsync(Service());
        Assert.Equal(["l", "p", "s"], daemon.Paths);
        Assert.Empty(daemon.ContentOf("s"));
        Assert.Single(daemon.Content);
        Assert.Equal("nowhere", daemon.Stats[0].Linkname);
    }

    [Theory]
    [InlineData("nope", "no access allowed to dir \"nope\": this client offers \"context\"")]
    [InlineData(null, "no access allowed to dir \"\": this client offers \"context\"")]
    public async Task An_unknown_directory_is_not_found(string? name, string message)
    {
        var service = Service();
        var e = await Assert.ThrowsAsync<RpcException>(() => new FakeDaemon().CallAsync(service, name));
        Assert.Equal((StatusCode.NotFound, message), (e.StatusCode, e.Status.Detail));
        Assert.Null(service.Failure);
    }

    [Theory]
    [InlineData("include-patterns", "[")]
    [InlineData("exclude-patterns", "!")]
    public async Task A_malformed_pattern_ends_the_call(string key, string pattern)
    {
        var daemon = new FakeDaemon();
        var e = await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(Service(), metadata: (key, pattern)));
        Assert.Equal(StatusCode.InvalidArgument, e.StatusCode);
        Assert.Empty(daemon.Stats);
    }

    [Fact]
    public async Task A_pattern_that_turns_out_to_be_malformed_in_the_walk_is_reported_in_the_stream()
    {
        _tree.Files("a");
        var daemon = new FakeDaemon();
        var e = await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(Service(), metadata: ("exclude-patterns", "[z-a]")));
        Assert.Equal(StatusCode.InvalidArgument, e.StatusCode);
        Assert.Contains("[z-a]", Assert.Single(daemon.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_gone_when_it_is_asked_for_fails_the_transfer()
    {
        _tree.File("a", "1").File("b", "2");
        var service = Service();
        var daemon = new FakeDaemon
        {
            Received = packet =>
            {
                if (packet.Stat?.Path == "b")
                    File.Delete(_tree.Full("b"));
            },
            Wants = stat => stat.Path == "b",
            Eager = false,
        };
        var e = await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(service));
        Assert.NotNull(service.Failure);
        Assert.Equal(("BuildKit.ContextUnreadable", _tree.Full("b")), (service.Failure.ErrorId, service.Failure.Target));
        Assert.Contains(_tree.Full("b"), service.Failure.Message, StringComparison.Ordinal);
        Assert.Contains(".dockerignore", service.Failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(service.Failure.Message, Assert.Single(daemon.Errors));
        Assert.Equal((StatusCode.Unknown, service.Failure.Message), (e.StatusCode, e.Status.Detail));
        Assert.False(daemon.Finished);
    }

    [Theory]
    [InlineData(10, 11)]
    [InlineData(10, 9)]
    [InlineData(0, 1)]
    [InlineData(PacketBatch.Capacity, (2 * PacketBatch.Capacity) + 5)]
    [InlineData(3 * PacketBatch.Capacity, PacketBatch.Capacity)]
    public async Task A_file_that_changes_its_size_fails_the_transfer(int listed, int found)
    {
        _tree.File("a", new string('x', listed));
        var service = Service();
        var daemon = new FakeDaemon
        {
            Eager = false,
            Received = packet =>
            {
                if (packet.Stat is not null)
                    File.WriteAllText(_tree.Full("a"), new string('y', found));
            },
        };
        await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(service));
        Assert.Equal(("BuildKit.ContextChanged", _tree.Full("a")), (service.Failure?.ErrorId, service.Failure?.Target));
        Assert.Single(daemon.Errors);
    }

    [SkippableFact]
    public async Task An_unreadable_directory_fails_the_transfer_unless_it_is_left_out()
    {
        Skip.If(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "root may read everything");
        _tree.Files("secret/x", "y");
        _tree.Mode("secret", 0);
        var service = Service();
        var daemon = new FakeDaemon();
        await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(service));
        Assert.Equal(("BuildKit.ContextUnreadable", BuildKitErrorCategory.PermissionDenied), (service.Failure?.ErrorId, service.Failure?.Category));
        Assert.Equal(_tree.Full("secret"), service.Failure?.Target);
        Assert.Equal(["y"], await PathsAsync(("exclude-patterns", "secret")));
        Assert.Equal(["y"], await PathsAsync(("include-patterns", "*y")));
    }

    [SkippableFact]
    public async Task A_name_that_is_not_UTF8_is_an_error_that_tells_which_unless_it_may_be_sent()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.FileNamed([(byte)'a', 0xff]).File("b", "x");
        var service = Service();
        var daemon = new FakeDaemon();
        await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(service));
        Assert.Equal(("BuildKit.ContextNameInvalid", _tree.Full("a\ufffd")), (service.Failure?.ErrorId, service.Failure?.Target));
        Assert.Equal(["b"], await PathsAsync(("exclude-patterns", "a?")));

        var raw = new FileSyncService([FileSyncSource.FromDirectory("context", _tree.Root) with { AllowNonUtf8Names = true }]);
        daemon = new FakeDaemon();
        await daemon.CallAsync(raw);
        Assert.Equal(["a\ufffd", "b"], daemon.Paths);
        Assert.Equal([0, 1], daemon.Content.Keys.Order().Select(id => (int)id));
        Assert.Null(raw.Failure);
    }

    [Fact]
    public async Task A_file_that_is_listed_is_sent_whole_where_upstream_has_second_thoughts()
    {
        // Upstream asks its patterns once more when it opens the file, in another way, and sends an empty one here.
        _tree.File("a/b", "content");
        var daemon = new FakeDaemon();
        await daemon.CallAsync(
            Service(), metadata: [("exclude-patterns", "a"), ("exclude-patterns", "!a/b"), ("exclude-patterns", "a")]);
        Assert.Equal(["a", "a/b"], daemon.Paths);
        Assert.Equal("content"u8.ToArray(), daemon.ContentOf("a/b"));
    }

    [Fact]
    public async Task A_complaint_of_the_receiver_ends_the_call_but_is_no_failure_of_this_side()
    {
        _tree.Files("a");
        var service = Service();
        FakeDaemon? daemon = null;
        daemon = new FakeDaemon
        {
            Wants = _ => false,
            Received = _ => daemon!.Send(new Packet { Type = Packet.Types.PacketType.PacketErr, Data = ByteString.CopyFromUtf8("no space left") }),
        };
        var e = await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(service));
        Assert.Equal("error from receiver: no space left", e.Status.Detail);
        Assert.Null(service.Failure);
        Assert.Empty(daemon.Errors);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(0)]
    public async Task A_request_for_what_is_no_file_or_was_sent_before_ends_the_call(uint id)
    {
        _tree.Files("dir/a", "z");
        var daemon = new FakeDaemon { Wants = stat => stat.Path == "z" };
        daemon.Send(new Packet { Type = Packet.Types.PacketType.PacketReq, ID = id });
        var e = await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(Service()));
        Assert.Equal((StatusCode.InvalidArgument, $"invalid file id {id}"), (e.StatusCode, e.Status.Detail));
    }

    [Fact]
    public async Task A_receiver_that_just_ends_is_noticed()
    {
        var daemon = new FakeDaemon();
        daemon.End();
        var e = await Assert.ThrowsAsync<RpcException>(() => daemon.CallAsync(Service()));
        Assert.Equal(StatusCode.Cancelled, e.StatusCode);
    }

    [Fact]
    public async Task Cancelling_the_call_ends_everything()
    {
        for (var i = 0; i < 200; i++)
            _tree.File($"{i:D3}", new string('x', 100_000));
        using var cancellation = new CancellationTokenSource();
        var service = Service();
        var daemon = new FakeDaemon
        {
            Received = packet =>
            {
                if (packet.Type == Packet.Types.PacketType.PacketData)
                    cancellation.Cancel();
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => daemon.CallAsync(service, cancellationToken: cancellation.Token));
        Assert.Null(service.Failure);
        Assert.False(daemon.Finished);
    }

    [Fact]
    public void A_source_that_does_not_exist_is_refused_at_once()
    {
        var e = Assert.Throws<BuildContextException>(() => FileSyncSource.FromDirectory("context", _tree.Full("no")));
        Assert.Equal(("BuildKit.ContextNotFound", _tree.Full("no")), (e.ErrorId, e.Target));
        Assert.Throws<ArgumentException>(() => FileSyncSource.FromDirectory("context", "relative"));
        var source = FileSyncSource.FromDirectory("a", _tree.Root);
        Assert.Throws<ArgumentException>(() => new FileSyncService([source, source]));
    }

    private FileSyncService Service() => new([FileSyncSource.FromDirectory("context", _tree.Root)]);

    private async Task<IEnumerable<string>> PathsAsync(params (string Key, string Value)[] metadata)
    {
        var daemon = new FakeDaemon();
        await daemon.CallAsync(Service(), metadata: metadata);
        return daemon.Paths;
    }
}
