using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using BuildKit.Docker;
using BuildKit.Protocol.Auth;

namespace BuildKit.Session.Auth;

/// <summary>
/// Gets access tokens from a registry's token server: OAuth2 (distribution's spec/auth/oauth) where there are credentials, the older GET (spec/auth/token) without them and where the
/// server does not know the other. The same requests as containerd's core/remotes/docker/auth makes for the docker CLI.
/// </summary>
internal sealed class TokenClient(HttpClient http)
{
    private const string DefaultClientId = "buildkit-client";
    private const int DefaultExpiration = 60;

    private static readonly Lazy<TokenClient> Shared = new(static () => new TokenClient(CreateHttpClient()));

    /// <summary>With the system's trust, proxies and connections that all sessions share.</summary>
    public static TokenClient Default => Shared.Value;

    /// <param name="request">What the daemon asks for: realm, service, scopes.</param>
    /// <param name="username">The user; empty with an identity token, or without credentials.</param>
    /// <param name="secret">The password or identity token; empty for an anonymous token.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.TokenDenied</c> or <c>BuildKit.TokenFetchFailed</c>.</exception>
    public async Task<FetchTokenResponse> FetchAsync(FetchTokenRequest request, string username, string secret, CancellationToken cancellationToken)
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
                throw Refused(request.Host, realm, status, isAnonymous: false);
        }
        var (getStatus, getToken) = await GetAsync(request, realm, username, secret, cancellationToken).ConfigureAwait(false);
        return getToken ?? throw Refused(request.Host, realm, getStatus, isAnonymous: secret.Length == 0);
    }

    /// <summary>A token as an answer to the daemon; a server that says nothing of an expiration means 60 s (spec/auth/token).</summary>
    public static FetchTokenResponse ToResponse(string token, DateTimeOffset? issuedAt, long expiresIn) => new()
    {
        Token = token,
        ExpiresIn = expiresIn == 0 ? DefaultExpiration : expiresIn,
        IssuedAt = issuedAt?.ToUnixTimeSeconds() ?? 0,
    };

    private async Task<(HttpStatusCode, FetchTokenResponse?)> PostAsync(FetchTokenRequest request, Uri realm, string username, string secret, CancellationToken cancellationToken)
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
        using var message = new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(form) };
        return await SendAsync(message, request.Host, realm, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(HttpStatusCode, FetchTokenResponse?)> GetAsync(FetchTokenRequest request, Uri realm, string username, string secret, CancellationToken cancellationToken)
    {
        var query = new StringBuilder(realm.Query.TrimStart('?'));
        if (request.Service.Length > 0)
            Append("service", request.Service);
        foreach (var scope in request.Scopes)
            Append("scope", scope);
        using var message = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString() }.Uri);
        if (secret.Length > 0)
            message.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));
        return await SendAsync(message, request.Host, realm, cancellationToken).ConfigureAwait(false);

        void Append(string key, string value) => query.Append(query.Length == 0 ? "" : "&").Append(key).Append('=').Append(Uri.EscapeDataString(value));
    }

    private async Task<(HttpStatusCode Status, FetchTokenResponse? Token)> SendAsync(HttpRequestMessage message, string host, Uri realm, CancellationToken cancellationToken)
    {
        byte[] body;
        try
        {
            using var response = await http.SendAsync(message, cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is < 200 or >= 400)
                return (response.StatusCode, null);
            body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw Failed(host, realm, e.Message, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(host, realm, "it did not answer in time", e);
        }
        TokenServerResponse? answer;
        try
        {
            answer = JsonSerializer.Deserialize(body, TokenJson.Default.TokenServerResponse);
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
        return (HttpStatusCode.OK, ToResponse(token, issuedAt, answer.ExpiresIn));
    }

    private static BuildKitException Refused(string host, Uri realm, HttpStatusCode status, bool isAnonymous)
    {
        if (status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden))
            return Failed(host, realm, $"it answered {(int)status} {status}");
        return new BuildKitException(
            "BuildKit.TokenDenied", BuildKitErrorCategory.PermissionDenied,
            $"The token server {Show(realm)} of '{host}' {(isAnonymous ? "wants credentials" : "refused the credentials")} ({(int)status} {status}).",
            $"Check the image's name, and log in {(isAnonymous ? "first" : "again")}: docker login{(host == CredentialStore.DockerHubHost ? "" : " " + host)}")
        { Target = host };
    }

    private static BuildKitException Failed(string host, Uri? realm, string why, Exception? inner = null) => new(
        "BuildKit.TokenFetchFailed", BuildKitErrorCategory.Connection, $"No token could be had from the token server {(realm is null ? "" : Show(realm) + " ")}of '{host}': {why}.",
        "Check that this machine reaches that address (proxy, certificates), and build again.", inner)
    { Target = host };

    // Without a query or user, which may hold a secret.
    private static string Show(Uri realm) => $"{realm.Scheme}://{realm.Authority}{realm.AbsolutePath}";

    private static HttpClient CreateHttpClient()
    {
        var client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2), ConnectTimeout = TimeSpan.FromSeconds(30) })
        {
            Timeout = TimeSpan.FromSeconds(60),
            MaxResponseContentBufferSize = 1 << 20,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue(DefaultClientId, typeof(TokenClient).Assembly.GetName().Version?.ToString(3)));
        return client;
    }
}
