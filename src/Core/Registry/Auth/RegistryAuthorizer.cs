using System.Net.Http.Headers;
using System.Text;
using BuildKit.Docker;

namespace BuildKit.Registry.Auth;

/// <summary>
/// The <c>Authorization</c> for one registry. Nothing is sent before the registry has asked for it. Tokens are kept by their scopes and fetched anew before they run out.
/// </summary>
/// <param name="host">The registry, as names have it.</param>
/// <param name="mayBePlain">Whether the credentials may go unencrypted to a token server that is not on this machine.</param>
/// <param name="credentials">Where the credentials are; stays the caller's.</param>
/// <param name="tokens">Gets the tokens.</param>
/// <param name="time">This machine's clock.</param>
internal sealed class RegistryAuthorizer(string host, bool mayBePlain, CredentialStore credentials, TokenClient tokens, TimeProvider time) : IDisposable
{
    // Between the moment a token is looked at and the moment the registry does.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, (string Token, DateTimeOffset Ends)> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _furtherScopes = new(StringComparer.Ordinal);
    private AuthChallenge? _challenge;

    /// <summary>What to send with a request, or null while the registry has asked for nothing.</summary>
    /// <param name="scopes">What the request needs to be allowed (<see cref="RegistryScope"/>).</param>
    /// <param name="cancellationToken">Ends what is asked for it.</param>
    /// <exception cref="BuildKitException">The token server, or the docker config.</exception>
    public async Task<AuthenticationHeaderValue?> GetAsync(IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _challenge) is not { } challenge)
            return null;
        var auth = await credentials.GetAsync(host, cancellationToken).ConfigureAwait(false);
        if (!challenge.Is("Bearer"))
        {
            var (username, secret) = (auth.Username ?? "", auth.Password ?? "");
            return secret.Length == 0 ? null : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));
        }
        return new AuthenticationHeaderValue(
            "Bearer", string.IsNullOrEmpty(auth.RegistryToken) ? await GetTokenAsync(challenge, scopes, auth, cancellationToken).ConfigureAwait(false) : auth.RegistryToken);
    }

    /// <summary>Takes note of a 401, so that <see cref="GetAsync"/> has something better to send.</summary>
    /// <param name="response">The 401.</param>
    /// <param name="sent">What the request was sent with.</param>
    /// <param name="scopes">What the request needs to be allowed.</param>
    /// <param name="cancellationToken">Ends the waiting for other requests.</param>
    /// <returns>False where nothing better is to be expected.</returns>
    public async Task<bool> LearnAsync(HttpResponseMessage response, AuthenticationHeaderValue? sent, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        var challenges = AuthChallenge.Parse(response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values) ? values : []);
        // A Bearer challenge without a realm leads nowhere.
        var challenge = challenges.FirstOrDefault(one => one.Is("Bearer") && one["realm"] is not null) ?? challenges.FirstOrDefault(one => one.Is("Basic"));
        if (challenge is null)
            return false;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Volatile.Write(ref _challenge, challenge);
            if (sent is null)
                return true;
            if (sent.Scheme != "Bearer" || !challenge.Is("Bearer"))
                return !challenge.Is(sent.Scheme);
            var key = Key(scopes);
            if (challenge["scope"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { } asked)
                _furtherScopes[key] = asked.Except(scopes).ToArray();
            // Another request may have fetched a new one meanwhile.
            if (_tokens.TryGetValue(key, out var cached) && cached.Token == sent.Parameter)
                _tokens.Remove(key);
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Whether there are credentials to be refused.</summary>
    public async Task<bool> HasCredentialsAsync(CancellationToken cancellationToken) => !(await credentials.GetAsync(host, cancellationToken).ConfigureAwait(false)).IsEmpty;

    /// <summary>A text of the registry without the credentials and tokens that it may quote.</summary>
    public async Task<string> RedactAsync(string text, CancellationToken cancellationToken)
    {
        var auth = await credentials.GetAsync(host, cancellationToken).ConfigureAwait(false);
        text = auth.Redact(text);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (var (token, _) in _tokens.Values)
                text = text.Replace(token, "***", StringComparison.Ordinal);
        }
        finally
        {
            _one.Release();
        }
        return string.IsNullOrEmpty(auth.Password) ? text : text.Replace(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{auth.Username}:{auth.Password}")), "***", StringComparison.Ordinal);
    }

    public void Dispose() => _one.Dispose();

    private async Task<string> GetTokenAsync(AuthChallenge challenge, IReadOnlyList<string> scopes, DockerAuthConfig auth, CancellationToken cancellationToken)
    {
        var key = Key(scopes);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_tokens.TryGetValue(key, out var cached) && time.GetUtcNow() < cached.Ends)
                return cached.Token;
            var (username, secret) = auth.ToPair();
            var realm = challenge["realm"]!;
            DemandSafe(realm, secret);
            var request = new TokenRequest(host, realm, challenge["service"] ?? "", [.. scopes, .. _furtherScopes.GetValueOrDefault(key, [])]);
            var asked = time.GetUtcNow();
            var token = await tokens.FetchAsync(request, username, secret, cancellationToken).ConfigureAwait(false);
            // By this machine's clock, which need not agree with the server's.
            _tokens[key] = (token.Token, asked.AddSeconds(Math.Clamp(token.ExpiresIn, 0, int.MaxValue)) - Margin);
            return token.Token;
        }
        finally
        {
            _one.Release();
        }
    }

    private void DemandSafe(string realm, string secret)
    {
        if (secret.Length == 0 || mayBePlain || !Uri.TryCreate(realm, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp || RegistryHttp.IsLoopback(address.Authority))
            return;
        throw new BuildKitException(
            "BuildKit.RegistryDenied", BuildKitErrorCategory.PermissionDenied,
            $"The registry '{host}' sends for tokens to http://{address.Authority}, where the credentials would go unencrypted.",
            $"Have the registry name an https address, or log out to go on without credentials: docker logout {host}. Where both speak plain http, that has to be asked for (-Insecure).")
        { Target = host };
    }

    private static string Key(IReadOnlyList<string> scopes) => string.Join(' ', scopes);
}
