using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session.FileSend;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.FileSend;

public sealed class FileExportTests : IDisposable
{
    private readonly TemporaryDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Chunks_become_a_file_at_commit()
    {
        var target = new FileExportTarget(_temp["new/image.tar"]);
        await using var service = Service(target);
        await SendAsync(service, "one "u8.ToArray(), [], "two"u8.ToArray());
        Assert.False(File.Exists(_temp["new/image.tar"]));
        Assert.Equal(7, target.BytesWritten);
        await service.CommitAsync(default);
        await service.DisposeAsync();
        Assert.Equal("one two", await File.ReadAllTextAsync(_temp["new/image.tar"]));
        Assert.Equal(["new", "new/image.tar"], _temp.List());
    }

    [Fact]
    public async Task Without_commit_the_old_file_stays_and_nothing_else_remains()
    {
        await File.WriteAllTextAsync(_temp["image.tar"], "old");
        await using (var service = Service(new FileExportTarget(_temp["image.tar"])))
            await SendAsync(service, "new"u8.ToArray());
        await using (var service = Service(new FileExportTarget(_temp["other/image.tar"])))
            await SendAsync(service, "new"u8.ToArray());
        Assert.Equal(["image.tar"], _temp.List());
        Assert.Equal("old", await File.ReadAllTextAsync(_temp["image.tar"]));
    }

    [Fact]
    public async Task An_abort_in_the_middle_leaves_nothing()
    {
        var service = Service(new FileExportTarget(_temp["image.tar"]));
        var daemon = new FakeDaemon(service);
        await daemon.SendAsync(Bytes("half"u8.ToArray()));
        await service.DisposeAsync().AsTask().WaitAsync(Poll.Patience);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => daemon.Call.WaitAsync(Poll.Patience));
        Assert.Empty(_temp.List());
    }

    [Fact]
    public async Task A_replaced_file_keeps_its_mode_and_a_link_to_it_stays_a_link()
    {
        await File.WriteAllTextAsync(_temp["real.tar"], "old");
        TemporaryDirectory.Run("chmod", "600", _temp["real.tar"]);
        File.CreateSymbolicLink(_temp["link.tar"], "real.tar");
        await using var service = Service(new FileExportTarget(_temp["link.tar"]));
        await SendAsync(service, "new"u8.ToArray());
        await service.CommitAsync(default);
        Assert.Equal("new", await File.ReadAllTextAsync(_temp["real.tar"]));
        Assert.Equal("600", _temp.Stat("real.tar", "%a"));
        Assert.Equal("symbolic link", _temp.Stat("link.tar", "%F"));
    }

    [Fact]
    public async Task A_device_is_written_to_and_never_replaced()
    {
        await using var service = Service(new FileExportTarget("/dev/null"));
        await SendAsync(service, "gone"u8.ToArray());
        await service.CommitAsync(default);
        Assert.Equal("character special file", _temp.Stat("/dev/null", "%F"));
    }

    [Fact]
    public async Task A_pipe_is_written_to_even_through_a_link()
    {
        TemporaryDirectory.Run("mkfifo", _temp["pipe"]);
        File.CreateSymbolicLink(_temp["link"], "pipe");
        var reading = TemporaryDirectory.RunAsync("cat", _temp["pipe"]);
        await using (var service = Service(new FileExportTarget(_temp["link"])))
        {
            await SendAsync(service, "through "u8.ToArray(), "the pipe"u8.ToArray());
            await service.CommitAsync(default);
        }
        Assert.Equal("through the pipe", await reading.WaitAsync(Poll.Patience));
    }

    [Fact]
    public void A_directory_at_the_destination_is_refused_at_once()
    {
        Assert.Equal("BuildKit.OutputDestinationInvalid", Assert.Throws<ExportException>(() => new FileExportTarget(_temp.Path)).ErrorId);
        Assert.Equal("BuildKit.OutputDestinationInvalid", Assert.Throws<ExportException>(() => new FileExportTarget(_temp["new/"])).ErrorId);
    }

    [SkippableFact]
    public async Task A_full_disk_is_a_typed_error_and_leaves_nothing()
    {
        using var disk = SmallDisk.Mount(_temp["disk"]);
        var service = Service(new FileExportTarget(_temp["disk/image.tar"]));
        var daemon = new FakeDaemon(service);
        for (var i = 0; i < 64; i++)
            await daemon.SendAsync(Bytes(new byte[32 << 10]));
        var error = await Assert.ThrowsAsync<RpcException>(() => daemon.Call.WaitAsync(Poll.Patience));
        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal("BuildKit.OutputDiskFull", service.Failure!.ErrorId);
        Assert.Equal(_temp["disk/image.tar"], service.Failure.Target);
        await service.DisposeAsync();
        Assert.Equal(["disk"], _temp.List());
    }

    [Fact]
    public async Task The_same_output_twice_is_refused()
    {
        await using var service = Service(new FileExportTarget(_temp["image.tar"]));
        await SendAsync(service, "first"u8.ToArray());
        await Assert.ThrowsAsync<RpcException>(() => SendAsync(service, "second"u8.ToArray()));
        Assert.Equal("BuildKit.OutputProtocolViolation", service.Failure!.ErrorId);
    }

    [Fact]
    public async Task Bytes_that_are_no_message_are_refused()
    {
        await using var service = Service(new FileExportTarget(_temp["image.tar"]));
        var daemon = new FakeDaemon(service);
        await daemon.SendRawAsync([0x0A, 0x7F]);
        await Assert.ThrowsAsync<RpcException>(() => daemon.Call.WaitAsync(Poll.Patience));
        Assert.Equal("BuildKit.OutputProtocolViolation", service.Failure!.ErrorId);
    }

    [Fact]
    public async Task Targets_are_chosen_by_the_exporter_id_and_learn_what_the_exporter_says()
    {
        using var stream = new MemoryStream();
        var file = new FileExportTarget(_temp["image.tar"]);
        await using var service = new FileSendService(new Dictionary<int, ExportTarget> { [1] = file, [2] = new StreamExportTarget(stream, "the pipeline") });
        await SendAsync(service, "file"u8.ToArray(), ("buildkit-attachable-exporter-id", "1"), ("exporter-md-containerimage.digest", "sha256:1"), ("exporter-md-containerimage.digest", "2"));
        await SendAsync(service, "stream"u8.ToArray(), ("buildkit-attachable-exporter-id", "2"));
        foreach (var id in (string[])["0", "7", "-1", "x", ""])
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => SendAsync(service, "?"u8.ToArray(), ("buildkit-attachable-exporter-id", id)));
            Assert.Equal(StatusCode.NotFound, error.StatusCode);
        }
        await service.CommitAsync(default);
        Assert.Equal("file", await File.ReadAllTextAsync(_temp["image.tar"]));
        Assert.Equal("stream"u8.ToArray(), stream.ToArray());
        Assert.Equal("sha256:1,2", file.Metadata["containerimage.digest"]);
    }

    [Fact]
    public async Task A_stream_that_got_nothing_is_incomplete()
    {
        using var stream = new MemoryStream();
        await using var service = Service(new StreamExportTarget(stream, "the pipeline"));
        Assert.Equal("BuildKit.OutputIncomplete", (await Assert.ThrowsAsync<ExportException>(() => service.CommitAsync(default).AsTask())).ErrorId);
    }

    private static FileSendService Service(ExportTarget target) => new(new Dictionary<int, ExportTarget> { [0] = target });

    private static BytesMessage Bytes(byte[] data) => new() { Data = ByteString.CopyFrom(data) };

    private static Task SendAsync(FileSendService service, byte[] data, params (string, string)[] headers) => SendAsync(service, headers, data);

    private static Task SendAsync(FileSendService service, params byte[][] chunks) => SendAsync(service, [], chunks);

    private static async Task SendAsync(FileSendService service, (string, string)[] headers, params byte[][] chunks)
    {
        var daemon = new FakeDaemon(service, headers);
        foreach (var chunk in chunks)
            await daemon.SendAsync(Bytes(chunk));
        daemon.EndStream();
        await daemon.Call.WaitAsync(Poll.Patience);
    }
}
