namespace BuildKit.Docker;

/// <summary>
/// The proxies that the docker config sets for the builds of a daemon, or of every daemon (<c>default</c>). Addresses may hold passwords, so its text shows none.
/// </summary>
internal sealed record DockerProxyConfig
{
    public string? HttpProxy { get; init; }

    public string? HttpsProxy { get; init; }

    public string? NoProxy { get; init; }

    public string? FtpProxy { get; init; }

    public string? AllProxy { get; init; }

    public override string ToString() => nameof(DockerProxyConfig);
}
