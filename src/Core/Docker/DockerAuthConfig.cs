namespace BuildKit.Docker;

/// <summary>A registry's credentials from the docker config. Its text shows none of them.</summary>
internal sealed record DockerAuthConfig
{
    public string? Username { get; init; }

    public string? Password { get; init; }

    /// <summary>A refresh token that is exchanged for access tokens, in place of a password.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>A bearer token that is sent to the registry as it is.</summary>
    public string? RegistryToken { get; init; }

    /// <summary>What a token server is asked with: user and password, or an empty user and the identity token. Both are empty where there is neither.</summary>
    public (string Username, string Secret) ToPair() =>
        string.IsNullOrEmpty(IdentityToken) ? (Username ?? string.Empty, Password ?? string.Empty) : (string.Empty, IdentityToken);

    public bool IsEmpty => string.IsNullOrEmpty(Username) && string.IsNullOrEmpty(Password) && string.IsNullOrEmpty(IdentityToken) && string.IsNullOrEmpty(RegistryToken);

    /// <summary>A text without these secrets: the other side may quote what it was sent.</summary>
    public string Redact(string text)
    {
        foreach (var secret in (ReadOnlySpan<string?>)[Password, IdentityToken, RegistryToken])
        {
            if (!string.IsNullOrEmpty(secret))
                text = text.Replace(secret, "***", StringComparison.Ordinal);
        }
        return text;
    }

    public override string ToString() => nameof(DockerAuthConfig);
}
