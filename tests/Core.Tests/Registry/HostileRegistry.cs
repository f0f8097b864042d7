using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using BuildKit.Oci;
using BuildKit.Tests.Transport;

namespace BuildKit.Tests.Registry;

/// <summary>
/// A registry of this machine that misbehaves as a test says. It speaks HTTP/1.1 by hand, one request a connection, so that an answer can be cut at any byte; without a
/// misbehaviour it does what the distribution-spec says of manifests, blobs with ranges, and uploads in one piece or several that can be taken up again.
/// </summary>
internal sealed class HostileRegistry : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new();
    private readonly IPAddress _address;
    private int _nextUpload;

    /// <param name="tls">How TLS is spoken, or null for plain HTTP.</param>
    /// <param name="address">Where it listens; null for the loopback.</param>
    public HostileRegistry(SslServerAuthenticationOptions? tls = null, IPAddress? address = null)
    {
        _address = address ?? IPAddress.Loopback;
        _server = new TestServer(
            async (stream, cancellationToken) =>
            {
                if (tls is null)
                {
                    await ServeAsync(stream);
                    return;
                }
                await using var encrypted = new SslStream(stream);
                await encrypted.AuthenticateAsServerAsync(tls, cancellationToken);
                await ServeAsync(encrypted);
            },
            address: _address);
    }

    public string Authority => $"{_address}:{_server.Port}";

    /// <summary>Whether it lists what refers to a manifest, as few registries do.</summary>
    public bool ListsReferrers { get; set; }

    /// <summary>Blobs by their digest.</summary>
    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new();

    /// <summary>Manifests by tag and by digest.</summary>
    public ConcurrentDictionary<string, (string MediaType, byte[] Content)> Manifests { get; } = new();

    public ConcurrentQueue<Request> Requests { get; } = new();

    /// <summary>Changes an answer before it is sent; null leaves all as they are.</summary>
    public Func<Request, Answer, Answer>? Misbehave { get; set; }

    /// <summary>Answers in place of the registry, which does nothing then; null leaves the request to it.</summary>
    public Func<Request, Answer?>? Refuse { get; set; }

    /// <summary>How many bytes of a request's body are read before the connection is closed; null reads all.</summary>
    public Func<Request, int?>? CutRequest { get; set; }

    public static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexString(SHA256.HashData(content)).ToLowerInvariant();

    public string AddBlob(byte[] content)
    {
        Blobs[DigestOf(content)] = content;
        return DigestOf(content);
    }

    public string AddManifest(string tag, string mediaType, byte[] content)
    {
        Manifests[DigestOf(content)] = Manifests[tag] = (mediaType, content);
        return DigestOf(content);
    }

    /// <summary>An address of this machine that is not the loopback, and that no proxy stands before; null where there is none.</summary>
    public static IPAddress? OtherAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(card => card.OperationalStatus == OperationalStatus.Up)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses, (_, unicast) => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address)
            && HttpClient.DefaultProxy.IsBypassed(new Uri($"http://{address}/")));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(Stream stream)
    {
        if (await ReadAsync(stream) is not { } request)
            return;
        Requests.Enqueue(request);
        if (request.IsCut)
            Keep(request);
        else if ((Refuse?.Invoke(request) ?? Handle(request)) is var answer)
            await SendAsync(stream, request, Misbehave?.Invoke(request, answer) ?? answer);
    }

    private async Task<Request?> ReadAsync(Stream stream)
    {
        if (await HttpHead.ReadAsync(stream, default) is not { Length: > 1 } head)
            return null;
        var first = head.Split(' ');
        var headers = HttpHead.Fields(head);
        var request = new Request(first[0], first[1], headers, []);
        var length = headers.TryGetValue("Content-Length", out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var cut = CutRequest?.Invoke(request);
        var body = new byte[Math.Min(length, cut ?? length)];
        await stream.ReadExactlyAsync(body);
        return request with { Body = body, IsCut = cut < length };
    }

    private Answer Handle(Request request)
    {
        var path = request.Path.Split('/');
        return request.Path switch
        {
            "/v2/" => new Answer(200, []),
            _ when path is [.., "manifests", var name] => Manifest(request, name),
            _ when path is [.., "referrers", var subject] && ListsReferrers => Referrers(subject),
            _ when path is [.., "blobs", "uploads", ""] => new Answer(202, []) { Headers = { ["Location"] = NewUpload() } },
            _ when path is [.., "uploads", var id] => Upload(request, id),
            _ when path is [.., "blobs", var digest] => Blob(request, digest),
            _ => Answer.Error(404, "NAME_UNKNOWN", "no such thing"),
        };
    }

    private Answer Manifest(Request request, string name)
    {
        if (request.Method == "PUT")
        {
            Manifests[DigestOf(request.Body)] = Manifests[name] = (request.Headers["Content-Type"], request.Body);
            var put = new Answer(201, []) { Headers = { ["Docker-Content-Digest"] = DigestOf(request.Body) } };
            return ListsReferrers && SubjectOf(request.Body) is { } subject ? put.With("OCI-Subject", subject) : put;
        }
        return Manifests.TryGetValue(name, out var manifest)
            ? new Answer(200, manifest.Content) { Headers = { ["Content-Type"] = manifest.MediaType, ["Docker-Content-Digest"] = DigestOf(manifest.Content) } }
            : Answer.Error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }

    private Answer Referrers(string subject)
    {
        var entries = Manifests.Where(pair => pair.Key == DigestOf(pair.Value.Content) && SubjectOf(pair.Value.Content) == subject)
            .Select(pair => $$"""{"mediaType":"{{pair.Value.MediaType}}","digest":"{{pair.Key}}","size":{{pair.Value.Content.Length}}}""");
        return Answer.Index(string.Join(',', entries));
    }

    private static string? SubjectOf(byte[] manifest) => (string?)JsonNode.Parse(manifest)?["subject"]?["digest"];

    private Answer Blob(Request request, string digest)
    {
        if (!Blobs.TryGetValue(digest, out var content))
            return Answer.Error(404, "BLOB_UNKNOWN", "blob unknown");
        if (!request.Headers.TryGetValue("Range", out var range))
            return new Answer(200, content);
        var from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        return new Answer(206, content[from..]) { Headers = { ["Content-Range"] = $"bytes {from}-{content.Length - 1}/{content.Length}" } };
    }

    private string NewUpload()
    {
        var id = Interlocked.Increment(ref _nextUpload).ToString(CultureInfo.InvariantCulture);
        _uploads[id] = new MemoryStream();
        return $"/v2/app/blobs/uploads/{id}";
    }

    private Answer Upload(Request request, string id)
    {
        if (!_uploads.TryGetValue(id, out var upload))
            return Answer.Error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown");
        if (request.Headers.TryGetValue("Content-Range", out var range) && long.Parse(range.Split('-')[0], CultureInfo.InvariantCulture) != upload.Length)
            return Answer.Error(416, "BLOB_UPLOAD_INVALID", "out of order");
        Keep(request);
        if (request.Method == "PUT")
        {
            var expected = Uri.UnescapeDataString(request.Target.Split("digest=")[1]);
            if (expected != DigestOf(upload.ToArray()))
                return Answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            Blobs[expected] = upload.ToArray();
            _uploads.TryRemove(id, out _);
            return new Answer(201, []) { Headers = { ["Docker-Content-Digest"] = expected } };
        }
        if (request.Method == "DELETE")
            _uploads.TryRemove(id, out _);
        return new Answer(request.Method == "PATCH" ? 202 : 204, [])
        {
            Headers = { ["Location"] = $"/v2/app/blobs/uploads/{id}", ["Range"] = $"0-{Math.Max(0, upload.Length - 1)}" },
        };
    }

    private void Keep(Request request)
    {
        if (request.Path.Split('/') is [.., "uploads", var id] && _uploads.TryGetValue(id, out var upload))
            upload.Write(request.Body);
    }

    private static async Task SendAsync(Stream stream, Request request, Answer answer)
    {
        answer.Headers.TryAdd("Content-Length", answer.Body.Length.ToString(CultureInfo.InvariantCulture));
        var head = $"HTTP/1.1 {answer.Status} X\r\n{string.Concat(answer.Headers.Select(pair => $"{pair.Key}: {pair.Value}\r\n"))}Connection: close\r\n\r\n";
        byte[] bytes = [.. Encoding.ASCII.GetBytes(head), .. request.Method == "HEAD" ? [] : answer.Body];
        await stream.WriteAsync(bytes.AsMemory(0, Math.Min(bytes.Length, answer.CutAfter ?? bytes.Length)));
        while (answer.IsEndless)
            await stream.WriteAsync(new byte[64 * 1024]);
        if (answer.IsSilent)
            await stream.CopyToAsync(Stream.Null);
    }

    internal sealed record Request(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
    {
        public bool IsCut { get; init; }

        public string Path => Target.Split('?')[0];
    }

    internal sealed record Answer(int Status, byte[] Body)
    {
        public Dictionary<string, string> Headers { get; init; } = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>After how many bytes, head included, the connection is closed.</summary>
        public int? CutAfter { get; init; }

        /// <summary>Whether bytes follow until the client goes.</summary>
        public bool IsEndless { get; init; }

        /// <summary>Whether it stops where it is cut, but leaves the connection open until the client goes.</summary>
        public bool IsSilent { get; init; }

        /// <summary>The same with another header.</summary>
        public Answer With(string name, string value) => this with { Headers = new(Headers, StringComparer.OrdinalIgnoreCase) { [name] = value } };

        public static Answer Index(string entries) =>
            new(200, Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Index}}","manifests":[{{entries}}]}""")) { Headers = { ["Content-Type"] = OciMediaType.Index } };

        public static Answer Error(int status, string code, string message) =>
            new(status, Encoding.UTF8.GetBytes($$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""")) { Headers = { ["Content-Type"] = "application/json" } };
    }
}
