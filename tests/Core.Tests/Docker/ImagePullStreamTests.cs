using BuildKit.Docker;
using BuildKit.Tests.Transport;
using Xunit;

namespace BuildKit.Tests.Docker;

/// <summary>A peer that answers a pull as no Engine should, or as one does that breaks off.</summary>
public sealed class ImagePullStreamTests
{
    private const string Name = "127.0.0.1:5000/team/app:1";
    private const string Digest = "sha256:f1ecb33fdc513bc4c4e6478feeb0d08534a69ef93e09ed8ac1ace8a19ae8781b";
    private const string OtherDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    private const string Secret = "s3cr3t-Geheim";
    private static readonly TimeSpan Guard = Poll.Patience;

    private static readonly string Inspected =
        $$"""{"Id":"sha256:1","RepoTags":["{{Name}}"],"RepoDigests":["127.0.0.1:5000/team/app@{{Digest}}"],"Os":"linux","Architecture":"amd64","Size":7}""";

    // As Docker Engine 28.5 with its own store answers.
    private static readonly string[] Good =
    [
        """{"status":"Pulling from team/app","id":"1"}""",
        """{"status":"Pulling fs layer","progressDetail":{},"id":"a28f23504e4f"}""",
        """{"status":"Downloading","progressDetail":{"current":10,"total":20},"progress":"[==\u003e   ]","id":"a28f23504e4f"}""",
        """{"status":"Extracting","progressDetail":{"current":3,"units":"s"},"progress":"3 s","id":"a28f23504e4f"}""",
        """{"status":"Pull complete","progressDetail":{},"id":"a28f23504e4f"}""",
        $$"""{"status":"Digest: {{Digest}}"}""",
        $$"""{"status":"Status: Downloaded newer image for {{Name}}"}""",
    ];

    [Fact]
    public async Task The_whole_answer_is_a_pull_and_layers_are_told_in_bytes()
    {
        var events = new Recorder<ImagePullEvent>();
        await using var server = Engine(Stream(Good));
        using var client = EngineImpostor.Connect(server);

        var pulled = await PullAsync(client, Name, events: events);

        Assert.Equal(new ImagePullResult { Reference = Name, Digest = Digest, Id = "sha256:1", Platform = "linux/amd64", Size = 7, Pulled = true }, pulled);
        Assert.Equal(Good.Length, events.Events.Count);
        Assert.Equal(new ImagePullEvent(null, "Pulling from team/app", 0, 0), events.Events[0]);
        Assert.Equal(new ImagePullEvent("a28f23504e4f", "Downloading", 10, 20), events.Events[2]);
        Assert.Equal(new ImagePullEvent("a28f23504e4f", "Extracting", 0, 0), events.Events[3]);
    }

    [Fact]
    public async Task Cut_at_any_byte_it_is_an_error()
    {
        var answer = Stream(Good);
        var length = 0;
        await using var server = Engine(() => answer[..length]);
        using var client = EngineImpostor.Connect(server);
        for (; length < answer.Length; length++)
        {
            var failure = await FailsAsync(client, Name);
            Assert.True(failure.ErrorId is "BuildKit.ConnectionLost" or "BuildKit.NotABuilder", $"{length}: {failure.ErrorId}");
        }
        Assert.Equal(Digest, (await PullAsync(client, Name)).Digest);
    }

    /// <summary>Where something between takes the framing away, nothing but the last words tells that nothing is missing.</summary>
    [Fact]
    public async Task Cut_at_any_byte_of_an_answer_without_framing_it_is_an_error()
    {
        var answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + string.Concat(Good.Select(line => line + "\r\n"));
        var whole = answer.Length - 2;
        var length = answer.IndexOf('{', StringComparison.Ordinal);
        await using var server = Engine(() => answer[..length]);
        using var client = EngineImpostor.Connect(server);
        for (; length < whole; length++)
        {
            var failure = await FailsAsync(client, Name);
            Assert.True(failure.ErrorId == "BuildKit.ImagePullFailed" && failure.Target == Name, $"{length}: {failure.ErrorId}");
        }
        for (; length <= answer.Length; length++)
            Assert.Equal(Digest, (await PullAsync(client, Name)).Digest);
    }

    [Theory]
    [InlineData(5, "without saying that the image is there")]
    [InlineData(6, "without saying that the image is there")]
    [InlineData(-1, "not the JSON that was expected")]
    public async Task What_it_does_not_say_is_not_believed(int without, string words)
    {
        var lines = without < 0 ? ["<html>", .. Good] : Good.Where((_, i) => i != without).ToArray();
        await using var server = Engine(Stream(lines));
        using var client = EngineImpostor.Connect(server);

        var failure = await FailsAsync(client, Name);

        Assert.Equal(("BuildKit.ImagePullFailed", Name), (failure.ErrorId, failure.Target));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"errorDetail":{"message":"unknown blob"},"error":"unknown blob"}""", "BuildKit.ImageCorrupt", ": unknown blob")]
    [InlineData("""{"error":"something else"}""", "BuildKit.ImagePullFailed", ": something else")]
    [InlineData("""{"errorDetail":{"code":401,"message":"errors:\ndenied: first\nunauthorized: s3cr3t-Geheim\n"}}""", "BuildKit.RegistryDenied", ": denied: first; unauthorized: ***")]
    public async Task An_error_in_it_is_an_error_whatever_comes_after(string line, string id, string words)
    {
        await using var server = Engine(Stream([Good[0], line, .. Good]));
        using var client = EngineImpostor.Connect(server);

        var failure = await FailsAsync(client, Name, new DockerAuthConfig { Username = "u", Password = Secret });

        Assert.Equal(id, failure.ErrorId);
        Assert.EndsWith(words, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_before_the_stream_shows_no_password_either()
    {
        await using var server = Engine(EngineImpostor.Json($$"""{"message":"Get https://u:{{Secret}}@x: unauthorized"}""", "500 Internal Server Error"));
        using var client = EngineImpostor.Connect(server);

        var failure = await FailsAsync(client, Name, new DockerAuthConfig { Username = "u", Password = Secret });

        Assert.Equal("BuildKit.RegistryDenied", failure.ErrorId);
        Assert.DoesNotContain(Secret, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_is_gone_or_another_one_is_an_error()
    {
        var inspected = EngineImpostor.Json("""{"message":"No such image: x"}""", "404 Not Found");
        await using var server = Engine(() => Stream(Good), () => inspected);
        using var client = EngineImpostor.Connect(server);
        var gone = await FailsAsync(client, Name);
        Assert.Equal("BuildKit.ImagePullFailed", gone.ErrorId);
        Assert.Contains("said that it has pulled the image, but does not have it", gone.Message, StringComparison.Ordinal);

        inspected = EngineImpostor.Json(Inspected.Replace(Digest, OtherDigest, StringComparison.Ordinal));
        var other = await FailsAsync(client, Name);
        Assert.Equal("BuildKit.ImagePullFailed", other.ErrorId);
        Assert.Contains("the name leads to another image", other.Message, StringComparison.Ordinal);

        inspected = EngineImpostor.Json(Inspected);
        var another = await FailsAsync(client, $"127.0.0.1:5000/team/app@{OtherDigest}");
        Assert.Equal("BuildKit.ImagePullFailed", another.ErrorId);
        Assert.Contains($"pulled {Digest} instead", another.Message, StringComparison.Ordinal);
    }

    /// <summary>The containerd store does not tell of an image whose layers it found in another one.</summary>
    [Fact]
    public async Task A_platform_that_nobody_tells_is_a_warning()
    {
        await using var server = Engine(
            () => Stream(Good), () => EngineImpostor.Json(Inspected.Replace("linux", "", StringComparison.Ordinal).Replace("amd64", "", StringComparison.Ordinal)));
        using var client = EngineImpostor.Connect(server);

        var pulled = await ImagePull.RunAsync(client, Name, "linux/arm64", ImagePullPolicy.Always, EnginePulls.Config("127.0.0.1:5000", new DockerAuthConfig()), null, default).WaitAsync(Guard);

        Assert.True(pulled.Pulled);
        Assert.Null(pulled.Platform);
        Assert.Contains("does not tell the platform", pulled.Warning, StringComparison.Ordinal);
        Assert.Null((await PullAsync(client, Name)).Warning);
    }

    [Fact]
    public async Task The_name_goes_in_the_query_and_credentials_in_the_header()
    {
        var requests = new List<string>();
        await using var server = Engine(
            request =>
            {
                requests.Add(request);
                return EngineImpostor.Json("""{"message":"no"}""", "500 Internal Server Error");
            },
            null);
        using var client = EngineImpostor.Connect(server);

        await FailsAsync(client, "app");
        await FailsAsync(client, $"127.0.0.1:5000/team/app:2@{Digest}", new DockerAuthConfig { Username = "ü", Password = Secret });
        await FailsAsync(client, $"127.0.0.1:5000/app@{Digest}", new DockerAuthConfig { IdentityToken = Secret }, "linux/arm/v7");

        Assert.Equal(
            [
                "POST /v1.51/images/create?fromImage=docker.io%2Flibrary%2Fapp&tag=latest HTTP/1.1",
                $"POST /v1.51/images/create?fromImage=127.0.0.1%3A5000%2Fteam%2Fapp&tag={Uri.EscapeDataString(Digest)} HTTP/1.1",
                $"POST /v1.51/images/create?fromImage=127.0.0.1%3A5000%2Fapp&tag={Uri.EscapeDataString(Digest)}&platform=linux%2Farm%2Fv7 HTTP/1.1",
            ],
            requests.Select(request => request.Split("\r\n")[0]));
        Assert.Equal(
            [
                "serveraddress=https://index.docker.io/v1/",
                $"password={Secret} serveraddress=127.0.0.1:5000 username=ü",
                $"identitytoken={Secret} serveraddress=127.0.0.1:5000",
            ],
            requests.Select(EngineImpostor.SentAuth));
    }

    private static string Stream(IEnumerable<string> lines) => EngineImpostor.StreamHead + string.Concat(lines.Select(EngineImpostor.Chunk)) + EngineImpostor.End;

    private static TestServer Engine(string created) => Engine(() => created);

    private static TestServer Engine(Func<string> created, Func<string>? inspected = null) => Engine(_ => created(), inspected);

    private static TestServer Engine(Func<string, string> created, Func<string>? inspected) => EngineImpostor.Start(request =>
        request.StartsWith("POST ", StringComparison.Ordinal) ? created(request)
        : request.Contains("/images/", StringComparison.Ordinal) ? inspected?.Invoke() ?? EngineImpostor.Json(Inspected)
        : EngineImpostor.Json("""{"message":"page not found"}""", "404 Not Found"));

    private static Task<ImagePullResult> PullAsync(
        DockerEngineClient client, string name, DockerAuthConfig? auth = null, string? platform = null, IProgress<ImagePullEvent>? events = null) =>
        ImagePull.RunAsync(
            client, name, platform, ImagePullPolicy.Always, EnginePulls.Config("127.0.0.1:5000", auth ?? new DockerAuthConfig()), events, default).WaitAsync(Guard);

    private static Task<BuildKitException> FailsAsync(DockerEngineClient client, string name, DockerAuthConfig? auth = null, string? platform = null) =>
        Assert.ThrowsAnyAsync<BuildKitException>(() => PullAsync(client, name, auth, platform));
}
