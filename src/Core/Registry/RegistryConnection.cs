using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using BuildKit.Registry.Auth;

namespace BuildKit.Registry;

/// <summary>
/// One registry: its address, its connections and the right to use it. Requests carry what the registry wants for authorization, are made again where that is of use, and follow redirections;
/// neither credentials nor tokens go to any other origin (scheme, host and port) than the registry's and its token server's.
/// </summary>
internal sealed class RegistryConnection : IDisposable
{
    private const int MostRedirections = 10;
    private const int MostRefusals = 2;
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(10);

    private readonly RegistryOptions _options;
    private readonly RegistryCertificates _certificates;
    private readonly HttpClient _http;
    private readonly HttpClient _tokenHttp;
    private readonly SemaphoreSlim _one = new(1, 1);
    private Uri? _origin;
    private RegistryAuthorizer? _authorizer;
    private string? _certificateFailure;

    private RegistryConnection(string host, RegistryOptions options, RegistryCertificates certificates)
    {
        Host = host;
        _options = options;
        _certificates = certificates;
        var handler = RegistryHttp.CreateHandler();
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificateContext = certificates.ClientContext,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = ValidateCertificate,
        };
        _http = RegistryHttp.CreateClient(handler, disposeHandler: true);
        _http.Timeout = Timeout.InfiniteTimeSpan;
        _tokenHttp = TokenClient.CreateHttpClient(handler);
    }

    /// <summary>The registry as names have it, with its port: <c>docker.io</c>.</summary>
    public string Host { get; }

    /// <summary>How registries are used.</summary>
    public RegistryOptions Options => _options;

    // Docker Hub's names are not its registry's.
    private string Authority => Host == "docker.io" ? Docker.CredentialStore.DockerHubHost : Host;

    /// <param name="host">The registry as names have it, with its port.</param>
    /// <param name="options">How it is used.</param>
    /// <param name="cancellationToken">Ends the reading of certificates.</param>
    /// <exception cref="BuildKitException">A certificate for it can't be read.</exception>
    public static async Task<RegistryConnection> CreateAsync(string host, RegistryOptions options, CancellationToken cancellationToken) =>
        new(host, options, await RegistryCertificates.LoadAsync(host, options.CertificateDirectories, cancellationToken).ConfigureAwait(false));

    /// <summary>Makes a request. The answer's body is not read yet.</summary>
    /// <returns>The answer, whatever its status but those that were dealt with; the caller disposes it.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.RegistryUnreachable</c>, or no token could be had.</exception>
    public async Task<HttpResponseMessage> SendAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await RegistryRetry.SendAsync(_options, request.CanRepeat, token => SendAuthorizedAsync(request, token), cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw RegistryErrors.Unreachable(this, request.What, e, _certificateFailure);
        }
    }

    /// <summary>The same for a request whose failure, whatever it is, is an error: the answer has one of the status codes that the caller expects.</summary>
    /// <exception cref="BuildKitException">What <see cref="RegistryErrors"/> makes of the answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(RegistryRequest request, IReadOnlyCollection<HttpStatusCode> expected, CancellationToken cancellationToken)
    {
        var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (expected.Contains(response.StatusCode))
            return response;
        using (response)
            throw await FailureAsync(request, response, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The error that an answer is.</summary>
    public async Task<BuildKitException> FailureAsync(RegistryRequest request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var message = await RegistryErrors.ReadMessageAsync(response, _options.StallTimeout, cancellationToken).ConfigureAwait(false);
        var shown = _authorizer is null ? message : await _authorizer.RedactAsync(message, cancellationToken).ConfigureAwait(false);
        var isAnonymous = _authorizer is null || !await _authorizer.HasCredentialsAsync(cancellationToken).ConfigureAwait(false);
        return RegistryErrors.Answered(this, request, response.StatusCode, shown, isAnonymous);
    }

    public void Dispose()
    {
        _tokenHttp.Dispose();
        _http.Dispose();
        _certificates.Dispose();
        _authorizer?.Dispose();
        _one.Dispose();
    }

    private async Task<HttpResponseMessage> SendAuthorizedAsync(RegistryRequest request, CancellationToken cancellationToken)
    {
        var origin = await GetOriginAsync(cancellationToken).ConfigureAwait(false);
        var authorizer = _authorizer!;
        var address = new Uri(origin, request.Target);
        if (!IsSameOrigin(address, origin))
            DemandEncrypted(origin, address, request.What);
        for (int refusals = 0, redirections = 0; ;)
        {
            var isHome = IsSameOrigin(address, origin);
            var authorization = isHome ? await authorizer.GetAsync(request.Scopes, cancellationToken).ConfigureAwait(false) : null;
            var response = await SendOnceAsync(request, address, authorization, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.Unauthorized && isHome && refusals++ < MostRefusals
                && await authorizer.LearnAsync(response, authorization, request.Scopes, cancellationToken).ConfigureAwait(false))
            {
                response.Dispose();
                continue;
            }
            if (!IsRedirection(request.Method, response) || !Uri.TryCreate(address, response.Headers.Location, out var to) || redirections++ == MostRedirections)
                return response;
            response.Dispose();
            DemandEncrypted(address, to, request.What);
            address = to;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(RegistryRequest request, Uri address, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timeout = request.Content is null ? _options.StallTimeout : _options.AnswerTimeout;
        patience.CancelAfter(timeout);
        using var message = new HttpRequestMessage(request.Method, address);
        message.Headers.Authorization = authorization;
        foreach (var mediaType in request.Accept)
            message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(mediaType));
        if (request.Offset > 0)
            message.Headers.Range = new RangeHeaderValue(request.Offset, null);
        message.Content = request.Content?.Invoke(() => patience.CancelAfter(timeout));
        try
        {
            return await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"it did not answer within {timeout.TotalSeconds:0.#} s", e);
        }
    }

    private static bool IsRedirection(HttpMethod method, HttpResponseMessage response) =>
        (method == HttpMethod.Get || method == HttpMethod.Head) && response.Headers.Location is not null
        && response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect
            or HttpStatusCode.PermanentRedirect;

    private static bool IsSameOrigin(Uri one, Uri other) => Uri.Compare(one, other, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;

    private void DemandEncrypted(Uri from, Uri to, string what)
    {
        var isHttp = to.Scheme == Uri.UriSchemeHttp;
        if (!(isHttp || to.Scheme == Uri.UriSchemeHttps) || (isHttp && from.Scheme == Uri.UriSchemeHttps))
            throw RegistryErrors.UnsafeRedirection(this, what, from, to);
    }

    // https, but where it is allowed to be something else the registry is asked once what it speaks.
    private async Task<Uri> GetOriginAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _origin) is { } known)
            return known;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_origin is not null)
                return _origin;
            var origin = new Uri($"https://{Authority}/");
            var plain = new Uri($"http://{Authority}/");
            if (RegistryHttp.IsLoopback(Host))
                origin = await ChooseAsync(plain, origin, cancellationToken).ConfigureAwait(false);
            else if (_options.IsInsecure)
                origin = await ChooseAsync(origin, plain, cancellationToken).ConfigureAwait(false);
            _authorizer = new RegistryAuthorizer(
                Host, _options.IsInsecure && origin.Scheme == Uri.UriSchemeHttp, _options.Credentials, new TokenClient(_tokenHttp, _options), TimeProvider.System);
            Volatile.Write(ref _origin, origin);
            return origin;
        }
        finally
        {
            _one.Release();
        }
    }

    // Where neither answers, the request itself will find out what is wrong.
    private async Task<Uri> ChooseAsync(Uri first, Uri second, CancellationToken cancellationToken) =>
        !await AnswersAsync(first, cancellationToken).ConfigureAwait(false) && await AnswersAsync(second, cancellationToken).ConfigureAwait(false) ? second : first;

    private async Task<bool> AnswersAsync(Uri origin, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(ProbeTimeout);
        try
        {
            var ping = new RegistryRequest(HttpMethod.Get, "/v2/", RegistryScope.None, "the registry");
            using var response = await SendOnceAsync(ping, new Uri(origin, ping.Target), null, patience.Token).ConfigureAwait(false);
            // What a server with TLS says to plain HTTP, where it says anything.
            return response.StatusCode != HttpStatusCode.BadRequest;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Who has shown a certificate speaks TLS, whatever it is worth.
            return origin.Scheme == Uri.UriSchemeHttps && _certificateFailure is not null;
        }
    }

    // Whoever may go unverified is the registry alone: what is sent to its token server would be anybody's otherwise.
    private bool ValidateCertificate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var name = (sender as SslStream)?.TargetHostName;
        if (_options.IsInsecure && new Uri($"https://{Authority}/").DnsSafeHost.Equals(name, StringComparison.OrdinalIgnoreCase))
            return true;
        if (certificate is not X509Certificate2 server)
        {
            _certificateFailure = "it sent no certificate";
            return false;
        }
        if (errors == SslPolicyErrors.RemoteCertificateChainErrors && _certificates.Vouch(server, chain))
            return true;
        _certificateFailure = errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? $"its certificate (subject '{server.Subject}') is not for '{name}'"
            : $"its certificate (subject '{server.Subject}', issuer '{server.Issuer}') is not trusted by this system: {string.Join(", ", (chain?.ChainStatus ?? []).Select(one => one.Status).Distinct())}";
        return false;
    }
}
