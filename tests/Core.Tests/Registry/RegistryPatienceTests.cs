using System.Diagnostics;
using System.Text;
using BuildKit.Oci;
using BuildKit.Registry;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Registry;

/// <summary>Registries and token servers that are busy, slow or silent: how long they are waited for, and how often they are asked.</summary>
public sealed class RegistryPatienceTests
{
    // A timer may run out a little before the clock says so.
    private static readonly TimeSpan AboutASecond = TimeSpan.FromSeconds(0.9);

    private static readonly byte[] Manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Index}}","manifests":[]}""");

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_busy_registry_is_asked_again_after_the_time_it_names(int status)
    {
        await using var registry = new HostileRegistry();
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        var asked = 0;
        registry.Misbehave = (request, answer) => request.Path == "/v2/" || Interlocked.Increment(ref asked) > 1 ? answer : Busy(status, 1);
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        var clock = Stopwatch.StartNew();
        Assert.Equal(Manifest, (await client.GetManifestAsync("1", default)).Content);
        Assert.True(clock.Elapsed >= AboutASecond, $"{clock.Elapsed}");
        Assert.Equal(2, asked);

        registry.Misbehave = (_, _) => Busy(status, 3600);
        registry.Requests.Clear();
        var error = await Assert.ThrowsAsync<BuildKitException>(() => client.GetManifestAsync("1", default));
        Assert.Equal(status == 429 ? "BuildKit.RegistryRateLimited" : "BuildKit.RegistryFailed", error.ErrorId);
        Assert.Contains("slow down", error.Message, StringComparison.Ordinal);
        Assert.Single(registry.Requests);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(17 * 1024 * 1024)]
    public async Task A_busy_registry_gets_a_blob_after_the_time_it_names(int size)
    {
        await using var registry = new HostileRegistry();
        var content = HostileRegistryTests.Bytes(size, 1);
        var blob = HostileRegistryTests.Describe(content, HostileRegistry.DigestOf(content));
        var clock = new Stopwatch();
        var waited = new List<TimeSpan>();
        registry.Refuse = request =>
        {
            waited.Add(clock.Elapsed);
            if (clock.IsRunning || request is not { Method: "PUT", Body.Length: > 0 })
                return null;
            clock.Start();
            return Busy(503, 1);
        };
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.False(await HostileRegistryTests.PutAsync(client, blob, content));
        Assert.Equal(content, registry.Blobs[blob.Digest.ToString()]);
        // But that the upload is not wanted any more may be said at once.
        var after = registry.Requests.Zip(waited).Where(pair => pair.Second > TimeSpan.Zero && pair.First.Method != "DELETE").ToList();
        Assert.NotEmpty(after);
        Assert.All(after, pair => Assert.True(pair.Second >= AboutASecond, $"{pair.First.Method} {pair.First.Path} after {pair.Second}"));
    }

    [Fact]
    public async Task A_registry_that_wants_to_be_left_alone_for_an_hour_gets_a_blob_no_more()
    {
        await using var registry = new HostileRegistry();
        var content = HostileRegistryTests.Bytes(1000, 1);
        registry.Refuse = request => request is { Method: "PUT" } ? Busy(429, 3600) : null;
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        var error = await Assert.ThrowsAsync<BuildKitException>(
            () => HostileRegistryTests.PutAsync(client, HostileRegistryTests.Describe(content, HostileRegistry.DigestOf(content)), content));
        Assert.Equal("BuildKit.RegistryRateLimited", error.ErrorId);
        Assert.Single(registry.Requests, request => request.Method == "PUT");
    }

    [Theory]
    [InlineData(429)]
    [InlineData(502)]
    [InlineData(0)]
    public async Task A_busy_token_server_is_asked_again(int status)
    {
        await using var registry = new HostileRegistry();
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        var asked = 0;
        DemandToken(registry, () => Interlocked.Increment(ref asked) > 2 ? new(200, "{\"token\":\"T\"}"u8.ToArray())
            : status == 0 ? new(200, []) { CutAfter = 0 } : Busy(status, 0));
        using var access = RegistryAccess.As(registry.Authority, RegistryAccount.Writer);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal(Manifest, (await client.GetManifestAsync("1", default)).Content);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_token_server_that_takes_no_more_requests_says_so()
    {
        await using var registry = new HostileRegistry();
        var asked = 0;
        DemandToken(registry, () =>
        {
            asked++;
            return Busy(429, 3600);
        });
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        var error = await Assert.ThrowsAsync<BuildKitException>(() => client.GetManifestAsync("1", default));
        Assert.Equal("BuildKit.RegistryRateLimited", error.ErrorId);
        Assert.Contains("token server", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_download_in_which_nothing_comes_any_more_goes_on_by_a_range()
    {
        await using var registry = new HostileRegistry();
        var content = HostileRegistryTests.Bytes(1000, 1);
        var blob = HostileRegistryTests.Describe(content, registry.AddBlob(content));
        registry.Misbehave = (request, answer) => request.Path == "/v2/" || request.Headers.ContainsKey("Range") ? answer : answer with { CutAfter = 600, IsSilent = true };
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { StallTimeout = TimeSpan.FromMilliseconds(500), Attempts = 20 });
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal(content, await HostileRegistryTests.ReadAsync(client, blob));
        Assert.Contains(registry.Requests, request => request.Headers.ContainsKey("Range"));
    }

    [Fact]
    public async Task A_reader_may_take_its_time()
    {
        await using var registry = new HostileRegistry();
        var content = HostileRegistryTests.Bytes(1000, 1);
        var blob = HostileRegistryTests.Describe(content, registry.AddBlob(content));
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { StallTimeout = TimeSpan.FromMilliseconds(500), Attempts = 20 });
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        await using var stream = await client.GetBlobAsync(blob, default);
        using var read = new MemoryStream();
        var some = new byte[100];
        for (int count; (count = await stream.ReadAsync(some)) > 0;)
        {
            read.Write(some, 0, count);
            if (read.Length == count)
                await Task.Delay(access.Options.StallTimeout * 3);
        }
        Assert.Equal(content, read.ToArray());
        Assert.DoesNotContain(registry.Requests, request => request.Headers.ContainsKey("Range"));
    }

    [Fact]
    public async Task A_registry_that_goes_silent_is_given_up()
    {
        await using var registry = new HostileRegistry();
        var content = HostileRegistryTests.Bytes(1000, 1);
        var blob = HostileRegistryTests.Describe(content, registry.AddBlob(content));
        var release = new TaskCompletionSource();
        registry.Misbehave = (request, answer) =>
        {
            if (request.Path != "/v2/")
                release.Task.Wait();
            return answer;
        };
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { StallTimeout = TimeSpan.FromMilliseconds(200), Attempts = 2 });
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        var error = await Assert.ThrowsAsync<BuildKitException>(() => HostileRegistryTests.ReadAsync(client, blob));
        release.SetResult();
        Assert.Equal("BuildKit.RegistryUnreachable", error.ErrorId);
        Assert.Contains("did not answer within 0.2 s", error.Message, StringComparison.Ordinal);
    }

    private static HostileRegistry.Answer Busy(int status, int seconds) => HostileRegistry.Answer.Error(status, "TOOMANYREQUESTS", "slow down").With("Retry-After", $"{seconds}");

    private static void DemandToken(HostileRegistry registry, Func<HostileRegistry.Answer> token) => registry.Refuse = request => request.Path == "/token" ? token()
        : request.Headers.ContainsKey("Authorization") || request.Path == "/v2/" ? null
        : HostileRegistry.Answer.Error(401, "UNAUTHORIZED", "who are you").With("WWW-Authenticate", $"Bearer realm=\"http://{registry.Authority}/token\",service=\"s\"");
}
