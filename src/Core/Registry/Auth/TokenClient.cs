using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using BuildKit.Docker;

namespace BuildKit.Registry.Auth;

/// <summary>
/// Gets access tokens from a registry's token server: OAuth2 (distribution's spec/auth/oauth) where there are credentials, the older GET (spec/auth/token) without them and where the
/// server does not know the other. The same requests as containerd's core/remotes/docker/auth makes for the docker CLI, but for redirections: credentials go to the origin alone
/// (scheme, host and port) that the registry named.
/// </summary>
/// <param name="http">Makes the requests, and must not follow redirections itself: see <see cref="CreateHttpClient"/>.</param>
/// <param name="retries">How often requests are made; null for once, as where a daemon asks for a token and decides itself whether to ask again.</param>
internal sealed class TokenClient(HttpClient http, RegistryOptions? retries = null)
{
    private const string DefaultClientId = "buildkit-client";
    private const int MostRedirections = 5;

    private static readonly Lazy<TokenClient> Shared = new(static () => new TokenClient(CreateHttpClient()));

    /// <summary>With the system's trust, proxies and connections that all sessions share.</summary>
    public static TokenClient Default => Shared.Value;

    /// <param name="request">What the token is for.</param>
    /// <param name="username">The user; empty with an identity token, or without credentials.</param>
    /// <param name="secret">The password or identity token; empty for an anonymous token.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.RegistryDenied</c>, <c>BuildKit.RegistryRateLimited</c> or <c>BuildKit.TokenFetchFailed</c>.</exception>
    public async Task<AccessToken> FetchAsync(TokenRequest request, string username, string secret, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(request.Realm, UriKind.Absolute, out var realm) || (realm.Scheme != Uri.UriSchemeHttps && realm.Scheme != Uri.UriSchemeHttp))
            throw Failed(request.Host, null, "its address is not an http or https URL");
        if (secret.Length > 0)
        {
            var (status, token) = await PostAsync(request, realm, username, secret, cancellationToken).ConfigureAwait(false);
            if (token is not null)
                return token;
            // Servers without the OAuth2 endpoint answer 404 (GCR), 401 (Artifactory) or 405.
            if (status is not (HttpStatusCode.NotFound or HttpStatusCode.Unauthorized) && !(status == HttpStatusCode.MethodNotAllowed && username.Length > 0))
                throw Refused(request, realm, status, isAnonymous: false);
        }
        var (getStatus, getToken) = await GetAsync(request, realm, username, secret, cancellationToken).ConfigureAwait(false);
        return getToken ?? throw Refused(request, realm, getStatus, isAnonymous: secret.Length == 0);
    }

    private async Task<(HttpStatusCode, AccessToken?)> PostAsync(TokenRequest request, Uri realm, string username, string secret, CancellationToken cancellationToken)
    {
        var form = new List<KeyValuePair<string, string>>
        {
            new("service", request.Service),
            new("client_id", DefaultClientId),
        };
        if (request.Scopes.Count > 0)
            form.Add(new("scope", string.Join(' ', request.Scopes)));
        if (username.Length == 0)
        {
            form.Add(new("grant_type", "refresh_token"));
            form.Add(new("refresh_token", secret));
        }
        else
        {
            form.Add(new("grant_type", "password"));
            form.Add(new("username", username));
            form.Add(new("password", secret));
        }
        return await SendAsync(
            address => new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent(form) }, realm, request.Host, isAnonymous: false, cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task<(HttpStatusCode, AccessToken?)> GetAsync(TokenRequest request, Uri realm, string username, string secret, CancellationToken cancellationToken)
    {
        var query = new StringBuilder(realm.Query.TrimStart('?'));
        if (request.Service.Length > 0)
            Append("service", request.Service);
        foreach (var scope in request.Scopes)
            Append("scope", scope);
        var authorization = secret.Length == 0
            ? null
            : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));
        return await SendAsync(
            address => new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Authorization = authorization } },
            new UriBuilder(realm) { Query = query.ToString() }.Uri, request.Host, isAnonymous: secret.Length == 0, cancellationToken).ConfigureAwait(false);

        void Append(string key, string value) => query.Append(query.Length == 0 ? "" : "&").Append(key).Append('=').Append(Uri.EscapeDataString(value));
    }

    // A redirection repeats the whole request. 303 does not mean the same request, and is an error like any other status.
    private async Task<(HttpStatusCode Status, AccessToken? Token)> SendAsync(
        Func<Uri, HttpRequestMessage> create, Uri realm, string host, bool isAnonymous, CancellationToken cancellationToken)
    {
        var address = realm;
        for (var sent = 0; sent <= MostRedirections; sent++)
        {
            var to = address;
            using var response = await SendAsync(() => create(to), realm, host, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                address = Follow(address, response.Headers.Location, realm, host, isAnonymous);
            else if (response.IsSuccessStatusCode)
                return (HttpStatusCode.OK, Read(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false), host, realm));
            else
                return (response.StatusCode, null);
        }
        throw Failed(host, realm, "it sends from one address to the next without end");
    }

    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, Uri realm, string host, CancellationToken cancellationToken)
    {
        try
        {
            return retries is null
                ? await SendOnceAsync(create, cancellationToken).ConfigureAwait(false)
                : await RegistryRetry.SendAsync(retries, canRepeat: true, token => SendOnceAsync(create, token), cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw Failed(host, realm, e.Message, e);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(Func<HttpRequestMessage> create, CancellationToken cancellationToken)
    {
        using var message = create();
        try
        {
            return await http.SendAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException("it did not answer in time", e);
        }
    }

    private static Uri Follow(Uri from, Uri? location, Uri realm, string host, bool isAnonymous)
    {
        if (location is null || !Uri.TryCreate(from, location, out var to) || (to.Scheme != Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttp))
            throw Failed(host, realm, "it redirects to no http or https URL");
        if (!isAnonymous && Uri.Compare(from, to, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) != 0)
            throw Failed(host, realm, $"it redirects to {to.Scheme}://{to.Authority}, and credentials are sent to no other address than the registry's own token server");
        if (from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp)
            throw Failed(host, realm, "it redirects from https to http");
        return to;
    }

    private static AccessToken Read(byte[] body, string host, Uri realm)
    {
        TokenServerResponse? answer;
        try
        {
            answer = JsonSerializer.Deserialize(body, TokenServerJson.Default.TokenServerResponse);
        }
        catch (JsonException)
        {
            // Without the inner exception, whose text may quote the answer.
            throw Failed(host, realm, "its answer is not the JSON that was expected");
        }
        var token = string.IsNullOrEmpty(answer?.AccessToken) ? answer?.Token : answer.AccessToken;
        if (string.IsNullOrEmpty(token))
            throw Failed(host, realm, "its answer holds no token");
        DateTimeOffset? issuedAt = DateTimeOffset.TryParse(answer!.IssuedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
        return AccessToken.Create(token, issuedAt, answer.ExpiresIn);
    }

    private static BuildKitException Refused(TokenRequest request, Uri realm, HttpStatusCode status, bool isAnonymous)
    {
        var host = request.Host;
        if (status == HttpStatusCode.TooManyRequests)
            return RegistryErrors.RateLimited(host, $"The token server {Show(realm)} of the registry '{host}' takes no more requests for now{For(request)} ({(int)status} {status}).", isAnonymous);
        if (status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
            return Failed(host, realm, $"it answered {(int)status} {status}");
        return new BuildKitException(
            "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied,
            $"The token server {Show(realm)} of the registry '{host}' {(isAnonymous ? "wants credentials" : "refused the credentials")}{For(request)} ({(int)status} {status}).",
            $"Check the image's name, and log in {(isAnonymous ? "first" : "again")}: docker login{(host == CredentialStore.DockerHubHost ? "" : " " + host)}")
        { Target = host };
    }

    private static BuildKitException Failed(string host, Uri? realm, string why, Exception? inner = null) => new(
        "BuildKit.TokenFetchFailed", BuildKitErrorCategory.Connection, $"No token could be had from the token server {(realm is null ? "" : Show(realm) + " ")}of '{host}': {why}.",
        "Check that this machine reaches that address (proxy, certificates), and try again.", inner)
    { Target = host };

    // A scope is repository:NAME:ACTIONS (distribution's spec/auth/scope).
    private static string For(TokenRequest request)
    {
        var names = request.Scopes.SelectMany(scopes => scopes.Split(' ')).Select(scope => scope.Split(':'))
            .Where(parts => parts is ["repository", _, _]).Select(parts => parts[1]).Distinct();
        var text = string.Join(", ", names);
        return text.Length == 0 ? "" : $" for '{text}'";
    }

    // Without a query or user, which may hold a secret.
    private static string Show(Uri realm) => $"{realm.Scheme}://{realm.Authority}{realm.AbsolutePath}";

    /// <summary>A client with connections of its own, or over a handler that others use too and that it does not dispose.</summary>
    internal static HttpClient CreateHttpClient(HttpMessageHandler? shared = null)
    {
        var client = RegistryHttp.CreateClient(shared ?? RegistryHttp.CreateHandler(), disposeHandler: shared is null);
        client.Timeout = TimeSpan.FromSeconds(60);
        client.MaxResponseContentBufferSize = 1 << 20;
        return client;
    }
}
