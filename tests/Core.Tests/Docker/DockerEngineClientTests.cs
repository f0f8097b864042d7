using System.Net;
using System.Net.Sockets;
using System.Text;
using BuildKit.Docker;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using BuildKit.Transport;
using Xunit;
using static BuildKit.Tests.Docker.EnginePulls;

namespace BuildKit.Tests.Docker;

public sealed class DockerEngineClientTests
{
    private static readonly TimeSpan Guard = Poll.Patience;

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, "1.51", "28.5.", false)]
    [InlineData(EngineKind.Docker28Containerd, "1.51", "28.5.", true)]
    [InlineData(EngineKind.Docker26, "1.45", "26.1.", false)]
    [InlineData(EngineKind.Docker26Containerd, "1.45", "26.1.", true)]
    [InlineData(EngineKind.Docker20, "1.41", "20.10.", false)]
    public async Task An_Engine_tells_who_it_is(EngineKind kind, string apiVersion, string engineVersion, bool containerdStore)
    {
        using var client = CreateClient(await TestEngines.GetAsync(kind));

        var ping = await client.System.PingAsync(CancellationToken.None);
        Assert.Equal(apiVersion, ping.ApiVersion);
        Assert.StartsWith(engineVersion, ping.EngineVersion, StringComparison.Ordinal);

        var version = await client.System.GetVersionAsync(CancellationToken.None);
        Assert.Equal((ping.EngineVersion, apiVersion, "linux"), (version.Version, version.ApiVersion, version.Os));

        var info = await client.System.GetSystemInfoAsync(CancellationToken.None);
        Assert.Equal(containerdStore, info.UsesContainerdStore);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task An_image_is_inspected_by_name_and_by_id(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);

        var byName = await client.Images.InspectImageAsync(engine.BaseImage, CancellationToken.None);
        Assert.StartsWith("sha256:", byName.ID, StringComparison.Ordinal);
        Assert.Equal("linux", byName.Os);
        Assert.True(byName.Size > 0);
        Assert.Equal(byName.ID, (await client.Images.InspectImageAsync(byName.ID, CancellationToken.None)).ID);

        var failure = await Assert.ThrowsAsync<DockerApiException>(() => client.Images.InspectImageAsync("127.0.0.1:1/no/such:image", CancellationToken.None));
        Assert.Equal(("BuildKit.ImageNotFound", HttpStatusCode.NotFound, BuildKitErrorCategory.NotFound), (failure.ErrorId, failure.StatusCode, failure.Category));
        Assert.Contains("127.0.0.1:1/no/such:image", failure.Message, StringComparison.Ordinal);
        Assert.Contains("No such image", failure.Message, StringComparison.OrdinalIgnoreCase);

        failure = await Assert.ThrowsAsync<DockerApiException>(() => client.Images.InspectImageAsync("Not A Name?", CancellationToken.None));
        Assert.Contains(failure.ErrorId, new[] { "BuildKit.EngineBadRequest", "BuildKit.ImageNotFound" });
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    public async Task An_archive_is_loaded(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var client = CreateClient(engine);
        var name = $"loaded-{Guid.NewGuid():N}:1";
        (await engine.DockerAsync("tag", engine.BaseImage, name)).OutputOrThrow();
        var archive = Path.GetTempFileName();
        try
        {
            (await engine.DockerAsync("save", "-o", archive, name)).OutputOrThrow();
            (await engine.DockerAsync("rmi", name)).OutputOrThrow();

            var loaded = await client.Images.LoadImageAsync(CopyFile(archive), null, CancellationToken.None).WaitAsync(Guard);
            Assert.EndsWith(name, Assert.Single(loaded), StringComparison.Ordinal);
            Assert.NotEmpty((await client.Images.InspectImageAsync(name, CancellationToken.None)).ID);
        }
        finally
        {
            File.Delete(archive);
            await engine.DockerAsync("rmi", name);
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver, 100)]
    [InlineData(EngineKind.Docker28Graphdriver, 32 << 20)]
    [InlineData(EngineKind.Docker28Containerd, 100)]
    [InlineData(EngineKind.Docker28Containerd, 32 << 20)]
    [InlineData(EngineKind.Docker20, 100)]
    public async Task An_archive_that_is_none_fails_although_the_status_is_200(EngineKind kind, int size)
    {
        using var client = CreateClient(await TestEngines.GetAsync(kind));
        var garbage = new byte[size];
        Array.Fill(garbage, (byte)'x');

        var failure = await Assert.ThrowsAnyAsync<BuildKitException>(
            () => client.Images.LoadImageAsync((stream, cancellationToken) => stream.WriteAsync(garbage, cancellationToken).AsTask(), null, CancellationToken.None).WaitAsync(Guard));
        Assert.Equal("BuildKit.ImageLoadFailed", failure.ErrorId);
    }

    [Fact]
    public async Task Progress_is_asked_for_and_an_image_that_can_not_be_unpacked_is_not_loaded()
    {
        var paths = new List<string>();
        await using var server = EngineImpostor.Start(request =>
        {
            paths.Add(request.Split(' ')[1]);
            return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                + """{"status":"Loading layer","progressDetail":{"current":5,"total":10},"id":"4f5e"}""" + "\n"
                + """{"stream":"Loaded image: a:1\n"}""" + "\n"
                + (paths.Count > 1 ? """{"stream":"Error unpacking image a:1: lost\n"}""" + "\n" : string.Empty);
        });
        using var client = EngineImpostor.Connect(server);
        var progress = new Recorder<JSONMessage>();

        Assert.Equal(["a:1"], await client.Images.LoadImageAsync((_, _) => Task.CompletedTask, progress, CancellationToken.None).WaitAsync(Guard));
        Assert.Contains(progress.Events, message => message is { ID: "4f5e", ProgressDetail: { Current: 5, Total: 10 } });

        var failure = await Assert.ThrowsAsync<DockerApiException>(
            () => client.Images.LoadImageAsync((_, _) => Task.CompletedTask, null, CancellationToken.None).WaitAsync(Guard));
        Assert.Equal(("BuildKit.ImageLoadFailed", "Error unpacking image a:1: lost"), (failure.ErrorId, failure.Message));
        Assert.Equal((BuildKitErrorCategory.InputOutput, $"tcp://127.0.0.1:{server.Port}"), (failure.Category, failure.Target));
        Assert.NotNull(failure.RecommendedAction);
        Assert.Equal(["/v1.51/images/load?quiet=0", "/v1.51/images/load?quiet=1"], paths);
    }

    [Theory]
    [InlineData("200 OK", "{\"errorDetail\":{\"code\":1,\"message\":\"write /layer.tar: no space left on device\"},\"error\":\"write\"}")]
    [InlineData("500 X", "{\"message\":\"write /layer.tar: no space left on device\"}")]
    public async Task A_full_disk_is_told_with_what_to_do(string status, string body)
    {
        await using var server = EngineImpostor.Start(_ => $"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using var client = EngineImpostor.Connect(server);
        var failure = await Assert.ThrowsAsync<DockerApiException>(
            () => client.Images.LoadImageAsync((_, _) => Task.CompletedTask, null, CancellationToken.None).WaitAsync(Guard));
        Assert.Equal(("BuildKit.DaemonDiskFull", BuildKitErrorCategory.InputOutput), (failure.ErrorId, failure.Category));
        Assert.Equal("write /layer.tar: no space left on device", failure.Message);
        Assert.Contains("docker system df", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_save_that_is_reset_is_a_lost_connection_and_a_full_disk_here_is_not(bool isReset)
    {
        // The first one is of the image itself.
        var answers = 0;
        var hasBegun = new TaskCompletionSource();
        await using var server = EngineImpostor.Start(
            request => request.StartsWith("GET /v1.51/images/get?", StringComparison.Ordinal) ? "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc" : EngineImpostor.Json("{}"),
            async (stream, cancellationToken) =>
            {
                if (Interlocked.Increment(ref answers) == 1)
                    return;
                await hasBegun.Task.WaitAsync(cancellationToken);
                ((NetworkStream)stream).Socket.Close(0);
            });
        using var client = EngineImpostor.Connect(server);
        using var destination = new Destination(() =>
        {
            hasBegun.SetResult();
            if (!isReset)
                throw new IOException("the disk here is full");
        });
        var save = () => client.Images.SaveImageAsync("a", destination, CancellationToken.None).WaitAsync(Guard);
        if (isReset)
            Assert.Equal("BuildKit.ConnectionLost", (await Assert.ThrowsAsync<ConnectionFailedException>(save)).ErrorId);
        else
            Assert.Equal("the disk here is full", (await Assert.ThrowsAsync<IOException>(save)).Message);
    }

    [SkippableFact]
    public async Task An_archive_that_can_not_be_written_is_the_writers_error()
    {
        using var client = CreateClient(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver));
        var failure = await Assert.ThrowsAsync<FileNotFoundException>(
            () => client.Images.LoadImageAsync(CopyFile("/nowhere"), null, CancellationToken.None).WaitAsync(Guard));
        Assert.Contains("/nowhere", failure.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_upgrade_gives_the_new_protocols_stream()
    {
        using var client = CreateClient(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver));
        await using var stream = await client.UpgradeAsync("/grpc", "h2c", [], CancellationToken.None);

        // RFC 9113 section 3.4: both sides begin with SETTINGS, a frame of type 4 on stream 0.
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"u8.ToArray());
        var frame = new byte[9];
        await stream.ReadExactlyAsync(frame).AsTask().WaitAsync(Guard);
        Assert.Equal((4, 0), (frame[3], frame[5] + frame[6] + frame[7] + frame[8]));
    }

    [SkippableFact]
    public async Task A_refused_upgrade_is_the_Engines_error()
    {
        using var client = CreateClient(await TestEngines.GetAsync(EngineKind.Docker28Graphdriver));
        var failure = await Assert.ThrowsAsync<DockerApiException>(() => client.UpgradeAsync("/no/such/path", "h2c", [], CancellationToken.None));
        Assert.Equal((HttpStatusCode.NotFound, "BuildKit.EngineNotFound", "page not found"), (failure.StatusCode, failure.ErrorId, failure.Message));
    }

    [Theory]
    [InlineData(400, "{\"message\":\"client version 1.51 is too old\"}", "BuildKit.EngineBadRequest", "client version 1.51 is too old", BuildKitErrorCategory.InvalidArgument)]
    [InlineData(403, "{\"message\":\"authorization denied by plugin\"}", "BuildKit.EngineAccessDenied", "authorization denied by plugin", BuildKitErrorCategory.PermissionDenied)]
    [InlineData(500, "{\"message\":\"disk full\"}", "BuildKit.EngineError", "disk full", BuildKitErrorCategory.Protocol)]
    [InlineData(501, "{\"message\":\"not here\"}", "BuildKit.EngineError", "not here", BuildKitErrorCategory.NotSupported)]
    [InlineData(502, "<html>bad gateway</html>", "BuildKit.EngineError", "The Engine answered with HTTP 502 Whatever.", BuildKitErrorCategory.Protocol)]
    public async Task An_error_has_the_Engines_own_words(int statusCode, string body, string id, string message, BuildKitErrorCategory category)
    {
        await using var server = EngineImpostor.Start(_ => $"HTTP/1.1 {statusCode} Whatever\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using var client = EngineImpostor.Connect(server);
        var failure = await Assert.ThrowsAsync<DockerApiException>(() => client.System.GetVersionAsync(CancellationToken.None).WaitAsync(Guard));
        Assert.Equal((id, message, statusCode, category), (failure.ErrorId, failure.Message, (int)failure.StatusCode, failure.Category));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[1,2]", "BuildKit.EngineProtocolError")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Version\":", "BuildKit.ConnectionLost")]
    public async Task An_answer_that_is_none_is_told(string answer, string id)
    {
        await using var server = EngineImpostor.Start(_ => answer);
        using var client = EngineImpostor.Connect(server);
        var failure = await Assert.ThrowsAnyAsync<BuildKitException>(() => client.System.GetVersionAsync(CancellationToken.None).WaitAsync(Guard));
        Assert.Equal(id, failure.ErrorId);
    }

    [Theory]
    [InlineData("1.40", "BuildKit.EngineTooOld")]
    [InlineData("new", "BuildKit.NotABuilder")]
    [InlineData(null, "BuildKit.NotABuilder")]
    public async Task An_API_version_that_can_not_be_used_is_told(string? apiVersion, string id)
    {
        await using var server = EngineImpostor.Start(_ => string.Empty, apiVersion: apiVersion);
        using var client = EngineImpostor.Connect(server);
        Assert.Equal(id, (await Assert.ThrowsAsync<ConnectionFailedException>(() => client.System.PingAsync(CancellationToken.None).WaitAsync(Guard))).ErrorId);
    }

    [Theory]
    [InlineData("1.41", "/v1.41/version")]
    [InlineData("1.51", "/v1.51/version")]
    [InlineData("1.99", "/v1.51/version")]
    public async Task The_newest_version_that_both_know_is_used_and_the_configs_headers_go_along(string apiVersion, string path)
    {
        var requests = new List<string>();
        await using var server = EngineImpostor.Start(
            request =>
            {
                requests.Add(request);
                return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
            },
            apiVersion: apiVersion);
        using var client = EngineImpostor.Connect(server, new Dictionary<string, string> { ["X-Meta"] = "1" });
        await client.System.GetVersionAsync(CancellationToken.None).WaitAsync(Guard);

        Assert.StartsWith($"GET {path} HTTP/1.1\r\n", Assert.Single(requests), StringComparison.Ordinal);
        Assert.Contains("X-Meta: 1\r\n", requests[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_never_answers_times_out()
    {
        await using var server = new TestServer((_, cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken));
        using var client = EngineImpostor.Connect(server, timeout: TimeSpan.FromMilliseconds(300));
        var ping = await Assert.ThrowsAsync<ConnectionFailedException>(() => client.System.PingAsync(CancellationToken.None).WaitAsync(Guard));
        var upgrade = await Assert.ThrowsAsync<ConnectionFailedException>(() => client.UpgradeAsync("/grpc", "h2c", [], CancellationToken.None).WaitAsync(Guard));
        Assert.Equal(("BuildKit.ConnectionTimeout", "BuildKit.ConnectionTimeout"), (ping.ErrorId, upgrade.ErrorId));
    }

    private sealed class Destination(Action written) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            written();
        }
    }

    private static Func<Stream, CancellationToken, Task> CopyFile(string path) => async (stream, cancellationToken) =>
    {
        await using var file = File.OpenRead(path);
        await file.CopyToAsync(stream, cancellationToken);
    };
}
