using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BuildKit.Transport;

namespace BuildKit.Docker;

/// <summary>
/// A thin client of the Docker Engine API over a <see cref="DaemonTransport"/>, with the calls that a builder needs and Docker.DotNet's names.
/// The API version is agreed on at the first call. Errors are <see cref="ConnectionFailedException"/> and <see cref="DockerApiException"/>.
/// </summary>
internal sealed class DockerEngineClient : IDisposable
{
    // The calls here have not changed since 20.10 (API 1.41); the newest version that they were tried with is asked for, an older one where the Engine is older.
    private static readonly Version OldestApiVersion = new(1, 41);
    private static readonly Version NewestApiVersion = new(1, 51);

    private const int MaxErrorBytes = 64 * 1024;

    private readonly DaemonTransport _transport;
    private readonly bool _hasClientCertificate;
    private readonly IReadOnlyDictionary<string, string> _headers;
    private readonly HttpClient _http;
    private string? _apiVersion;

    /// <param name="transport">How the Engine is reached; stays the caller's.</param>
    /// <param name="headers">Headers sent with every request (<c>HttpHeaders</c> of the docker config).</param>
    public DockerEngineClient(DaemonTransport transport, IReadOnlyDictionary<string, string>? headers = null)
    {
        _transport = transport;
        _hasClientCertificate = transport is TlsTransport { HasClientCertificate: true };
        _headers = headers ?? new Dictionary<string, string>();
        _http = CreateHttpClient(stream => stream);
        System = new SystemOperations(this);
        Images = new ImageOperations(this);
        Exec = new ExecOperations(this);
        Containers = new ContainerOperations(this);
        Volumes = new VolumeOperations(this);
    }

    public SystemOperations System { get; }

    public ImageOperations Images { get; }

    public ExecOperations Exec { get; }

    public ContainerOperations Containers { get; }

    public VolumeOperations Volumes { get; }

    /// <summary>
    /// Does <c>POST path</c> with <c>Connection: Upgrade</c> and returns the raw stream after the 101; bytes that came with the 101 are the first ones read from it.
    /// </summary>
    /// <param name="path">The path, without an API version: <c>/grpc</c>, <c>/session</c>.</param>
    /// <param name="protocol">What to upgrade to: <c>h2c</c>, <c>tcp</c>.</param>
    /// <param name="headers">Further headers; a name may come several times.</param>
    /// <param name="cancellationToken">Ends the attempt; the returned stream does not depend on it.</param>
    public Task<Stream> UpgradeAsync(string path, string protocol, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellationToken) =>
        UpgradeAsync(path, protocol, headers, default, cancellationToken);

    /// <summary>The same for <c>/v1.xx/path</c> with a JSON body, once the API version is agreed on.</summary>
    internal Task<Stream> UpgradeAsync(string path, string protocol, ReadOnlyMemory<byte> json, CancellationToken cancellationToken) =>
        UpgradeAsync($"/v{_apiVersion}/{path}", protocol, [], json, cancellationToken);

    private async Task<Stream> UpgradeAsync(
        string path, string protocol, IEnumerable<KeyValuePair<string, string>> headers, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        using var timeout = StartTimeout(cancellationToken);
        try
        {
            var stream = await _transport.ConnectAsync(ApplicationProtocol.Http1, timeout.Token).ConfigureAwait(false);
            var response = await Http1Upgrade.PostAsync(stream, _transport.HttpHost, path, protocol, _headers.Concat(headers), json, timeout.Token).ConfigureAwait(false);
            if (response.StatusCode == (int)HttpStatusCode.SwitchingProtocols)
                return response.Stream;
            await response.Stream.DisposeAsync().ConfigureAwait(false);
            var statusCode = (HttpStatusCode)response.StatusCode;
            var message = ReadMessage(response.Body) ?? $"The Engine answered POST {path} with HTTP {response.StatusCode}.";
            throw DockerApiException.Create(statusCode, message, _transport.Target.Address);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw ConnectionFailures.Timeout(_transport.Target, _transport.ConnectTimeout, exception);
        }
        catch (InvalidDataException exception)
        {
            throw NotAnEngine("it does not speak HTTP/1.1", exception);
        }
        catch (IOException exception)
        {
            throw ConnectionFailures.Find(_transport.Target, _hasClientCertificate, exception);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Asks an Engine who it is, and agrees on the API version.</summary>
    internal async Task<PingResponse> PingAsync(CancellationToken cancellationToken)
    {
        using var timeout = StartTimeout(cancellationToken);
        try
        {
            using var request = CreateRequest(HttpMethod.Head, "_ping");
            using var response = await SendAsync(_http, request, timeout.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode || !response.Headers.TryGetValues("Api-Version", out var apiVersions))
                throw NotAnEngine($"it answers /_ping with HTTP {(int)response.StatusCode} and no API version", null);
            var ping = new PingResponse(apiVersions.First(), EngineVersion(response));
            _apiVersion = Negotiate(ping.ApiVersion);
            return ping;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw ConnectionFailures.Timeout(_transport.Target, _transport.ConnectTimeout, exception);
        }
    }

    /// <summary>A client with connections of its own to the Engine.</summary>
    /// <param name="wrap">May put something between HTTP and a new connection.</param>
    internal HttpClient CreateHttpClient(Func<Stream, Stream> wrap)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = Timeout.InfiniteTimeSpan, // the transport has its own
            ConnectCallback = async (_, cancellationToken) => wrap(await _transport.ConnectAsync(ApplicationProtocol.Http1, cancellationToken).ConfigureAwait(false)),
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"http://{_transport.HttpHost}/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Does <c>POST /v1.xx/path</c> without a body, with a header of its own; an answer that is no success is a <see cref="DockerApiException"/>.</summary>
    internal Task<HttpResponseMessage> PostAsync(string path, string header, string value, CancellationToken cancellationToken) =>
        SendAsync(_http, HttpMethod.Post, path, null, new(header, value), cancellationToken);

    /// <summary>A request's body as JSON.</summary>
    internal static ByteArrayContent ToContent<T>(T body, JsonTypeInfo<T> type) =>
        new(JsonSerializer.SerializeToUtf8Bytes(body, type)) { Headers = { ContentType = new("application/json") } };

    /// <summary>Sends a request to <c>/v1.xx/path</c>; an answer that is no success is a <see cref="DockerApiException"/>.</summary>
    internal Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken) =>
        SendAsync(_http, method, path, content, cancellationToken);

    /// <summary>Sends a request to <c>/v1.xx/path</c>; an answer that is no success is a <see cref="DockerApiException"/>.</summary>
    internal Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken) =>
        SendAsync(http, method, path, content, null, cancellationToken);

    private async Task<HttpResponseMessage> SendAsync(
        HttpClient http, HttpMethod method, string path, HttpContent? content, KeyValuePair<string, string>? header, CancellationToken cancellationToken)
    {
        if (_apiVersion is null)
            await PingAsync(cancellationToken).ConfigureAwait(false);
        using var request = CreateRequest(method, $"v{_apiVersion}/{path}");
        request.Content = content;
        if (header is { } given)
            request.Headers.TryAddWithoutValidation(given.Key, given.Value);
        var response = await SendAsync(http, request, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw DockerApiException.Create(response.StatusCode, await ReadMessageAsync(response, cancellationToken).ConfigureAwait(false), _transport.Target.Address);
    }

    internal Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, null, type, cancellationToken);

    /// <summary>The same with a header of its own.</summary>
    internal Task<T> GetAsync<T>(string path, string header, string value, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, new(header, value), type, cancellationToken);

    internal Task<T> PostAsync<T>(string path, HttpContent? content, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, path, content, null, type, cancellationToken);

    /// <summary>The Engine, as errors name it.</summary>
    internal string Address => _transport.Target.Address;

    internal ConnectionFailedException ConnectionLost(Exception exception) => ConnectionFailures.Find(_transport.Target, _hasClientCertificate, exception);

    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, HttpContent? content, KeyValuePair<string, string>? header, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(_http, method, path, content, header, cancellationToken).ConfigureAwait(false);
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken).ConfigureAwait(false) ?? throw Malformed(method, path, null);
        }
        catch (JsonException exception)
        {
            throw Malformed(method, path, exception);
        }
        catch (IOException exception)
        {
            throw ConnectionFailures.Find(_transport.Target, _hasClientCertificate, exception);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.InvalidResponse)
        {
            throw NotAnEngine("it does not speak HTTP/1.1", exception);
        }
        catch (HttpRequestException exception)
        {
            throw ConnectionFailures.Find(_transport.Target, _hasClientCertificate, exception);
        }
    }

    private HttpRequestMessage CreateRequest(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (var (name, value) in _headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private string Negotiate(string engineVersion)
    {
        if (!Version.TryParse(engineVersion, out var version))
            throw NotAnEngine("its API version can't be read", null);
        if (version < OldestApiVersion)
        {
            throw ConnectionFailures.Create(
                _transport.Target, "EngineTooOld",
                $"The Docker Engine at {_transport.Target} speaks API {engineVersion}; {OldestApiVersion} (Docker 20.10) is the oldest supported.",
                "Update the Docker Engine.", category: BuildKitErrorCategory.NotSupported);
        }
        return (version < NewestApiVersion ? version : NewestApiVersion).ToString(2);
    }

    private static string? EngineVersion(HttpResponseMessage response)
    {
        // "Docker/28.5.2 (linux)"
        var product = response.Headers.TryGetValues("Server", out var servers) ? servers.First().Split(' ')[0] : string.Empty;
        return product.StartsWith("Docker/", StringComparison.Ordinal) ? product["Docker/".Length..] : null;
    }

    private CancellationTokenSource StartTimeout(CancellationToken cancellationToken)
    {
        var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_transport.ConnectTimeout);
        return timeout;
    }

    private static async Task<string> ReadMessageAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var fallback = string.Create(CultureInfo.InvariantCulture, $"The Engine answered with HTTP {(int)response.StatusCode} {response.ReasonPhrase}.");
        try
        {
            var body = new byte[MaxErrorBytes];
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return ReadMessage(body.AsSpan(0, length)) ?? fallback;
        }
        catch (IOException)
        {
            return fallback;
        }
    }

    private static string? ReadMessage(ReadOnlySpan<byte> body)
    {
        try
        {
            return body.IsEmpty ? null : JsonSerializer.Deserialize(body, DockerJson.Default.ErrorResponse)?.Message;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private ConnectionFailedException NotAnEngine(string why, Exception? inner) => ConnectionFailures.NotABuilder(_transport.Target, "it is no Docker Engine", why, inner);

    private BuildKitException Malformed(HttpMethod method, string path, Exception? inner) =>
        new("BuildKit.EngineProtocolError", BuildKitErrorCategory.Protocol, $"The Engine's answer to {method} {path} is not the JSON that was expected.", null, inner)
        {
            Target = _transport.Target.Address,
        };
}
