using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session;
using BuildKit.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Session.FileSend;

/// <summary>A daemon that wants to write outside the destination, or to break the receiver: every case is refused, is told so, and leaves nothing.</summary>
public sealed class HostileDaemonTests : IDisposable
{
    private readonly TemporaryDirectory _temp = new();
    private readonly FileSendService _service;
    private readonly FakeDaemon _daemon;

    public HostileDaemonTests()
    {
        // A file beside the destination that a path could reach.
        File.WriteAllText(_temp["precious"], "precious");
        _service = new FileSendService(new Dictionary<int, ExportTarget> { [0] = new DirectoryExportTarget(_temp["out"]) });
        _daemon = new FakeDaemon(_service);
    }

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("/")]
    [InlineData("..")]
    [InlineData("../precious")]
    [InlineData("../../precious")]
    [InlineData("d/../../precious")]
    [InlineData("d/..")]
    [InlineData(".")]
    [InlineData("./x")]
    [InlineData("d/./x")]
    [InlineData("d//x")]
    [InlineData("d/")]
    [InlineData("")]
    [InlineData("nul\0name")]
    [InlineData("missing/x")]
    [InlineData("d/missing/x")]
    [InlineData("c")]
    [InlineData("d")]
    public async Task Paths_that_lead_out_or_break_the_order_are_refused(string path)
    {
        await _daemon.StatAsync(Entries.Dir("d").Stat);
        await _daemon.StatAsync(Entries.File(path, "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
    }

    [Fact]
    public async Task A_file_below_a_link_that_was_sent_is_refused()
    {
        await _daemon.StatAsync(Entries.Symlink("link", "..").Stat);
        await _daemon.StatAsync(Entries.File("link/precious", "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
    }

    [Fact]
    public async Task A_file_below_a_file_is_refused()
    {
        await _daemon.StatAsync(Entries.File("file", "x").Stat);
        await _daemon.StatAsync(Entries.File("file/x", "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
    }

    [Fact]
    public async Task Going_back_to_a_directory_that_was_left_is_refused()
    {
        await _daemon.StatAsync(Entries.Dir("a").Stat);
        await _daemon.StatAsync(Entries.Dir("b").Stat);
        await _daemon.StatAsync(Entries.File("a/x", "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
    }

    [Fact]
    public async Task Order_is_by_bytes_with_the_slash_lowest()
    {
        // fsutil's order: "a/z" comes before "a!" although '!' is a lower byte than '/', and 'ￚ' (U+FFDA) before '😀' (U+1F600) although UTF-16 has it the other way round.
        await _daemon.SendTreeAsync([Entries.Dir("a"), Entries.File("a/z", "x"), Entries.File("a!", "x"), Entries.File("ￚ", "x"), Entries.File("😀", "x")]);
        Assert.Null(_service.Failure);
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../precious")]
    [InlineData("d/../../precious")]
    [InlineData("z-later")]
    [InlineData("m")]
    [InlineData("d")]
    [InlineData("d/link")]
    [InlineData("d/link/precious")]
    [InlineData("never-sent")]
    public async Task Hard_links_to_anything_but_a_file_sent_before_are_refused(string target)
    {
        await _daemon.StatAsync(Entries.Dir("d").Stat);
        await _daemon.StatAsync(Entries.Symlink("d/link", "../..").Stat);
        await _daemon.StatAsync(Entries.HardLink("m", target).Stat);
        var id = await _daemon.StatAsync(Entries.File("z-later", "x").Stat);
        await _daemon.EndStatsAsync();
        await _daemon.DataAsync(id, "x"u8.ToArray());
        await _daemon.DataAsync(id, []);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
    }

    [Fact]
    public async Task A_hard_link_through_a_link_to_an_existing_file_is_refused()
    {
        await _daemon.StatAsync(Entries.Symlink("link", _temp.Path).Stat);
        await _daemon.StatAsync(Entries.HardLink("m", "link/precious").Stat);
        await _daemon.EndStatsAsync();
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
        Assert.Equal("1", _temp.Stat("precious", "%h"));
    }

    [Fact]
    public async Task Too_long_names_are_refused()
    {
        await _daemon.StatAsync(Entries.File(new string('x', 256), "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputNameTooLong");
    }

    [Fact]
    public async Task Too_long_paths_are_refused()
    {
        var path = string.Empty;
        for (var i = 0; i < 20 && !_daemon.Call.IsCompleted; i++)
        {
            path += (i == 0 ? "" : "/") + new string('d', 250);
            await _daemon.StatAsync(Entries.Dir(path).Stat);
        }
        await AssertRefusedAsync("BuildKit.OutputNameTooLong");
    }

    [Fact]
    public async Task Names_that_are_not_utf8_are_refused_and_not_altered()
    {
        // Stat.path is field 1; the generated class can't hold these bytes.
        byte[] stat = [0x0A, 0x02, 0xFF, 0x41];
        await _daemon.SendRawAsync([0x12, (byte)stat.Length, .. stat]);
        await AssertRefusedAsync("BuildKit.OutputUnsupported");
    }

    [Fact]
    public async Task Content_that_was_not_asked_for_is_refused()
    {
        await _daemon.StatAsync(Entries.Dir("d").Stat);
        await _daemon.DataAsync(0, "x"u8.ToArray());
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task Content_before_it_was_asked_for_is_refused()
    {
        // Beyond the window of requests.
        uint last = 0;
        for (var i = 0; i < 513; i++)
            last = await _daemon.StatAsync(Entries.File($"f{i:0000}", "x").Stat);
        await _daemon.DataAsync(last, "x"u8.ToArray());
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task Content_after_its_end_is_refused()
    {
        var id = await _daemon.StatAsync(Entries.File("f", "x").Stat);
        await _daemon.DataAsync(id, "x"u8.ToArray());
        await _daemon.DataAsync(id, []);
        await _daemon.DataAsync(id, "x"u8.ToArray());
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task More_content_than_announced_is_refused()
    {
        var id = await _daemon.StatAsync(Entries.File("f", "xy").Stat);
        await _daemon.DataAsync(id, "x"u8.ToArray());
        await _daemon.DataAsync(id, "yz"u8.ToArray());
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task Less_content_than_announced_is_refused()
    {
        var id = await _daemon.StatAsync(Entries.File("f", "xy").Stat);
        await _daemon.DataAsync(id, []);
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task A_negative_size_is_refused()
    {
        await _daemon.StatAsync(new Stat { Path = "f", Mode = Entries.Rw, Size = -1 });
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task An_entry_after_the_last_one_is_refused()
    {
        await _daemon.EndStatsAsync();
        await _daemon.StatAsync(Entries.File("f", "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task The_end_before_everything_was_sent_is_refused()
    {
        await _daemon.StatAsync(Entries.File("f", "x").Stat);
        await _daemon.EndStatsAsync();
        await _daemon.FinAsync();
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task The_end_of_the_stream_before_everything_was_sent_is_refused()
    {
        await _daemon.StatAsync(Entries.File("f", "x").Stat);
        _daemon.EndStream();
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task A_request_to_us_is_refused()
    {
        await _daemon.SendAsync(new Packet { Type = Packet.Types.PacketType.PacketReq, ID = 0 });
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Theory]
    [InlineData(GoFileMode.Socket)]
    [InlineData(GoFileMode.Irregular)]
    [InlineData(GoFileMode.Directory | GoFileMode.Symlink)]
    [InlineData(GoFileMode.CharDevice)]
    public async Task Impossible_modes_are_refused(uint mode)
    {
        await _daemon.StatAsync(new Stat { Path = "f", Mode = mode, Linkname = "x" });
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public async Task Impossible_link_targets_are_refused(string target)
    {
        await _daemon.StatAsync(Entries.Symlink("link", target).Stat);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
    }

    [Theory]
    [InlineData(new byte[] { 0xFF })]
    [InlineData(new byte[] { 0x12, 0x7F, 0x00 })]
    [InlineData(new byte[] { 0x0A, 0x00 })]
    [InlineData(new byte[] { 0x12, 0x02, 0x0A, 0x7F })]
    [InlineData(new byte[] { 0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(new byte[] { 0x07 })]
    [InlineData(new byte[] { 0x00 })]
    public async Task Bytes_that_are_no_message_are_refused(byte[] message)
    {
        await _daemon.SendRawAsync(message);
        await AssertRefusedAsync("BuildKit.OutputProtocolViolation");
    }

    [Fact]
    public async Task Control_characters_of_a_path_do_not_reach_the_terminal()
    {
        await _daemon.StatAsync(Entries.File("/\u001b[2J", "x").Stat);
        await AssertRefusedAsync("BuildKit.OutputUnsafePath");
        Assert.DoesNotContain('\u001b', _service.Failure!.Message);
    }

    private async Task AssertRefusedAsync(string errorId)
    {
        await Assert.ThrowsAsync<RpcException>(() => _daemon.Call.WaitAsync(Poll.Patience));
        Assert.Equal(errorId, _service.Failure?.ErrorId);
        var replies = new List<FileSendReply>();
        while (_daemon.Replies.TryRead(out var reply))
            replies.Add(reply);
        Assert.Equal(_service.Failure!.Message, replies[^1].Error);
        await Assert.ThrowsAsync<ExportException>(() => _service.CommitAsync(default).AsTask());
        await _service.DisposeAsync();
        Assert.Equal(["precious"], _temp.List());
        Assert.Equal("precious", await File.ReadAllTextAsync(_temp["precious"]));
    }
}
