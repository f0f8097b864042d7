namespace BuildKit.Registry.Auth;

/// <summary>What a token server gave. Its text shows nothing of it.</summary>
/// <param name="Token">What the registry is sent.</param>
/// <param name="IssuedAt">When it was made, by the server's clock; null where the server does not say.</param>
/// <param name="ExpiresIn">For how many seconds it is good.</param>
internal sealed record AccessToken(string Token, DateTimeOffset? IssuedAt, long ExpiresIn)
{
    private const int DefaultExpiration = 60;

    /// <summary>A token; a server that says nothing of an expiration (0) means 60 s (spec/auth/token).</summary>
    public static AccessToken Create(string token, DateTimeOffset? issuedAt, long expiresIn) => new(token, issuedAt, expiresIn == 0 ? DefaultExpiration : expiresIn);

    public override string ToString() => nameof(AccessToken);
}
