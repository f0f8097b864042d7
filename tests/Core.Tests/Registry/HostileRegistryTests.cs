using System.Text;
using BuildKit.Oci;
using BuildKit.Registry;
using BuildKit.Tests.Engines;
using Xunit;
using Xunit.Abstractions;

namespace BuildKit.Tests.Registry;

/// <summary>Registries that cut, lie, forget and send away.</summary>
public sealed class HostileRegistryTests(ITestOutputHelper output)
{
    private static readonly byte[] Manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Index}}","manifests":[]}""");

    [Fact]
    public async Task Answers_cut_at_a_random_byte_still_end_in_the_right_content()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var registry = new HostileRegistry();
        var content = Bytes(100_000, seed);
        var blob = Describe(content, registry.AddBlob(content));
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        registry.Misbehave = (request, answer) =>
        {
            lock (random)
                return answer with { CutAfter = random.Next(2 * (200 + answer.Body.Length)) };
        };
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { Attempts = 30, RetryDelay = TimeSpan.FromMilliseconds(1) });
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal(content, await ReadAsync(client, blob));
        Assert.Equal(Manifest, (await client.GetManifestAsync("1", default)).Content);

        registry.Blobs.Clear();
        Assert.False(await PutAsync(client, blob, content));
        Assert.Equal(content, registry.Blobs[blob.Digest.ToString()]);
        var put = await client.PutManifestAsync("2", OciMediaType.Index, Manifest, default);
        Assert.Equal(HostileRegistry.DigestOf(registry.Manifests["2"].Content), put.Digest.ToString());
    }

    [Fact]
    public async Task A_broken_download_goes_on_where_it_broke()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(1_000_000, 1);
        var blob = Describe(content, registry.AddBlob(content));
        registry.Misbehave = (request, answer) => request.Path.Contains("/blobs/", StringComparison.Ordinal) ? answer with { CutAfter = 300_000 } : answer;
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal(content, await ReadAsync(client, blob));
        var ranges = registry.Requests.Where(request => request.Headers.ContainsKey("Range")).Select(request => request.Headers["Range"]).ToList();
        Assert.Equal(3, ranges.Count);
        Assert.Equal(3, ranges.Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_broken_upload_goes_on_where_it_broke_or_begins_anew(bool isKept)
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(40_000_000, 1);
        var blob = Describe(content, HostileRegistry.DigestOf(content));
        registry.CutRequest = request => request.Method == "PUT" && request.Headers.GetValueOrDefault("Content-Length") != "0" ? 5_000_000 : null;
        if (!isKept)
            registry.Misbehave = (request, answer) => request.Method == "GET" && request.Path.Contains("/uploads/", StringComparison.Ordinal) ? HostileRegistry.Answer.Error(404, "X", "lost") : answer;
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.False(await PutAsync(client, blob, content));
        Assert.Equal(content, registry.Blobs[blob.Digest.ToString()]);
        var first = registry.Requests.First(request => request.Method == "PATCH").Headers["Content-Range"];
        Assert.StartsWith(isKept ? "5000000-" : "0-", first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_much_for_a_proxy_goes_in_pieces()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(40_000_000, 1);
        var blob = Describe(content, HostileRegistry.DigestOf(content));
        registry.Refuse = request => request.Body.Length > 20_000_000 ? HostileRegistry.Answer.Error(413, "X", "too large") : null;
        using var access = RegistryAccess.As(registry.Authority, null);
        Assert.False(await PutAsync(await access.ClientAsync(registry.Authority + "/app:1"), blob, content));
        Assert.Equal(3, registry.Requests.Count(request => request.Method == "PATCH"));
        Assert.Equal(content, registry.Blobs[blob.Digest.ToString()]);
    }

    [Fact]
    public async Task A_registry_that_takes_nothing_is_given_up()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(1000, 1);
        registry.Refuse = request => request is { Method: "PUT", Body.Length: > 0 } ? HostileRegistry.Answer.Error(503, "X", "not now") : null;
        registry.Misbehave = (request, answer) => request.Path.Contains("/uploads/", StringComparison.Ordinal) && request.Method is "PATCH" or "GET" ? answer.With("Range", "0-0") : answer;
        using var access = RegistryAccess.As(registry.Authority, null);
        var error = await Assert.ThrowsAsync<BuildKitException>(async () =>
            await PutAsync(await access.ClientAsync(registry.Authority + "/app:1"), Describe(content, HostileRegistry.DigestOf(content)), content).WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal("BuildKit.RegistryFailed", error.ErrorId);
        Assert.Empty(registry.Blobs);
    }

    [Fact]
    public async Task A_registry_that_forgets_the_first_piece_at_the_second_is_given_up()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(17 * 1024 * 1024, 1);
        registry.Refuse = request => request switch
        {
            { Method: "PUT", Body.Length: > 0 } => HostileRegistry.Answer.Error(413, "X", "too large"),
            { Method: "PATCH" } when request.Headers["Content-Range"].StartsWith("0-", StringComparison.Ordinal) => new HostileRegistry.Answer(202, []),
            { Method: "PATCH" } => HostileRegistry.Answer.Error(503, "X", "not now"),
            { Method: "GET" } when request.Path.Contains("/uploads/", StringComparison.Ordinal) => new HostileRegistry.Answer(204, []).With("Range", "0-0"),
            _ => null,
        };
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { Attempts = 2 });
        var error = await Assert.ThrowsAsync<BuildKitException>(async () =>
            await PutAsync(await access.ClientAsync(registry.Authority + "/app:1"), Describe(content, HostileRegistry.DigestOf(content)), content).WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains("not now", error.Message, StringComparison.Ordinal);
        Assert.Empty(registry.Blobs);
    }

    [Fact]
    public async Task An_upload_that_is_given_up_is_cancelled_where_it_is_by_then()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(40_000_000, 1);
        registry.Refuse = request => request switch
        {
            { Method: "PUT", Body.Length: > 0 } => HostileRegistry.Answer.Error(413, "X", "too large"),
            { Method: "PATCH" } when request.Headers["Content-Range"].StartsWith("0-", StringComparison.Ordinal) => new HostileRegistry.Answer(202, []).With("Location", "/v2/app/blobs/uploads/moved"),
            { Method: "PATCH" } => HostileRegistry.Answer.Error(403, "DENIED", "enough"),
            _ => null,
        };
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal("BuildKit.RegistryDenied", (await Assert.ThrowsAsync<BuildKitException>(() => PutAsync(client, Describe(content, HostileRegistry.DigestOf(content)), content))).ErrorId);
        Assert.Equal("/v2/app/blobs/uploads/moved", Assert.Single(registry.Requests, request => request.Method == "DELETE").Path);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    public async Task Who_gets_no_token_for_both_repositories_pushes_without_a_mount(int status)
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(1000, 1);
        registry.Refuse = request => request switch
        {
            { Path: "/token" } => request.Target.Contains("other", StringComparison.Ordinal)
                ? HostileRegistry.Answer.Error(status, "DENIED", "not both")
                : new HostileRegistry.Answer(200, "{\"token\":\"T\"}"u8.ToArray()),
            _ when !request.Headers.ContainsKey("Authorization") => HostileRegistry.Answer.Error(401, "UNAUTHORIZED", "who are you")
                .With("WWW-Authenticate", $"Bearer realm=\"http://{registry.Authority}/token\",service=\"s\""),
            _ => null,
        };
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.False(await client.PutBlobAsync(
            Describe(content, HostileRegistry.DigestOf(content)), _ => Task.FromResult<Stream>(new MemoryStream(content)), "other", null, default));
        Assert.Equal(content, Assert.Single(registry.Blobs).Value);
    }

    [Fact]
    public async Task Wrong_bytes_are_never_accepted()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(100_000, 1);
        var blob = Describe(content, registry.AddBlob(content));
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        registry.Misbehave = (_, answer) => answer.Body.Length == 0 ? answer : answer with { Body = [.. answer.Body[..^1], (byte)~answer.Body[^1]] };
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal("BuildKit.OciBlobInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => ReadAsync(client, blob))).ErrorId);
        Assert.Equal("BuildKit.DigestMismatch", (await Assert.ThrowsAsync<BuildKitException>(() => client.GetManifestAsync("1", default))).ErrorId);
    }

    [Fact]
    public async Task A_wrong_digest_in_a_header_is_an_error()
    {
        await using var registry = new HostileRegistry();
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        registry.Misbehave = (_, answer) => answer.With("Docker-Content-Digest", HostileRegistry.DigestOf([1]));
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal("BuildKit.DigestMismatch", (await Assert.ThrowsAsync<BuildKitException>(() => client.GetManifestAsync("1", default))).ErrorId);
        Assert.Equal("BuildKit.DigestMismatch", (await Assert.ThrowsAsync<BuildKitException>(() => client.PutManifestAsync("2", OciMediaType.Index, Manifest, default))).ErrorId);
        Assert.Equal("BuildKit.DigestMismatch", (await Assert.ThrowsAsync<BuildKitException>(() => PutAsync(client, Describe([2], HostileRegistry.DigestOf([2])), [2]))).ErrorId);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_wrong_length_is_an_error(int difference)
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(1000, 1);
        var blob = Describe(content, registry.AddBlob(content));
        registry.Misbehave = (_, answer) => answer.With("Content-Length", $"{answer.Body.Length + difference}");
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal("BuildKit.OciBlobInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => ReadAsync(client, blob))).ErrorId);
    }

    [Fact]
    public async Task A_body_without_end_is_left_at_the_size_that_is_known()
    {
        await using var registry = new HostileRegistry();
        var content = Bytes(1000, 1);
        var blob = Describe(content, registry.AddBlob(content));
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        registry.Misbehave = (request, answer) => request.Path == "/v2/" ? answer : answer.With("Content-Length", $"{1L << 40}") with { IsEndless = true };
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        Assert.Equal("BuildKit.OciBlobInvalid", (await Assert.ThrowsAsync<BuildKitException>(() => ReadAsync(client, blob))).ErrorId);
        Assert.Equal("BuildKit.RegistryFailed", (await Assert.ThrowsAsync<BuildKitException>(() => client.GetManifestAsync("1", default))).ErrorId);
    }

    [Fact]
    public async Task Who_is_sent_to_another_origin_takes_no_credentials_there()
    {
        await using var storage = new HostileRegistry();
        await using var registry = new HostileRegistry();
        var content = Bytes(100_000, 1);
        var blob = Describe(content, storage.AddBlob(content));
        registry.Misbehave = (request, answer) => !request.Headers.ContainsKey("Authorization")
            ? HostileRegistry.Answer.Error(401, "UNAUTHORIZED", "who are you").With("WWW-Authenticate", "Basic realm=\"r\"")
            : new HostileRegistry.Answer(307, []) { Headers = { ["Location"] = $"http://{storage.Authority}/v2/app/blobs/{blob.Digest}?signature=s3cret" } };
        storage.Misbehave = (_, answer) => answer with { CutAfter = 60_000 };
        using var access = RegistryAccess.As(registry.Authority, RegistryAccount.Writer);
        Assert.Equal(content, await ReadAsync(await access.ClientAsync(registry.Authority + "/app:1"), blob));
        Assert.NotEmpty(storage.Requests);
        Assert.All(storage.Requests, request => Assert.False(request.Headers.ContainsKey("Authorization")));
        Assert.Contains(registry.Requests, request => request.Headers.GetValueOrDefault("Authorization") == "Basic " + RegistryAccount.Writer.Base64);
    }

    [Fact]
    public async Task A_registry_that_quotes_the_credentials_does_not_make_them_seen()
    {
        await using var registry = new HostileRegistry();
        registry.Misbehave = (request, _) => HostileRegistry.Answer.Error(
            request.Headers.ContainsKey("Authorization") ? 403 : 401, "DENIED", $"not with {request.Headers.GetValueOrDefault("Authorization")} and {RegistryAccount.Writer.Password}").With("WWW-Authenticate", "Basic realm=\"r\"");
        using var access = RegistryAccess.As(registry.Authority, RegistryAccount.Writer);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        var error = await Assert.ThrowsAsync<BuildKitException>(() => client.GetManifestAsync("1", default));
        Assert.Equal("BuildKit.RegistryDenied", error.ErrorId);
        Assert.Contains("not with Basic *** and ***", error.Message, StringComparison.Ordinal);
        Assert.All(RegistryAccount.Secrets, secret => Assert.DoesNotContain(secret, error.ToString(), StringComparison.Ordinal));
    }

    internal static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal static OciDescriptor Describe(byte[] content, string digest) => OciDescriptor.Create("application/vnd.oci.image.layer.v1.tar+gzip", OciDigest.Parse(digest), content.Length);

    internal static async Task<byte[]> ReadAsync(RegistryClient client, OciDescriptor blob)
    {
        await using var stream = new OciVerifyingStream(await client.GetBlobAsync(blob, default), blob, "the registry");
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    internal static Task<bool> PutAsync(RegistryClient client, OciDescriptor blob, byte[] content) =>
        client.PutBlobAsync(blob, _ => Task.FromResult<Stream>(new MemoryStream(content)), null, null, default);
}
