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

    public bool IsEmpty => string.IsNullOrEmpty(Username) && string.IsNullOrEmpty(Password) && string.IsNullOrEmpty(IdentityToken) && string.IsNullOrEmpty(RegistryToken);

    public override string ToString() => nameof(DockerAuthConfig);
}
