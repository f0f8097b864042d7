namespace BuildKit.Docker;

/// <summary>The Engine itself: Docker.DotNet's <c>ISystemOperations</c>, as far as it is used.</summary>
internal sealed class SystemOperations(DockerEngineClient client)
{
    /// <summary>Asks who answers, without an API version; the answer decides which version the other calls use.</summary>
    public Task<PingResponse> PingAsync(CancellationToken cancellationToken) => client.PingAsync(cancellationToken);

    public Task<VersionResponse> GetVersionAsync(CancellationToken cancellationToken) => client.GetAsync("version", DockerJson.Default.VersionResponse, cancellationToken);

    public Task<SystemInfoResponse> GetSystemInfoAsync(CancellationToken cancellationToken) =>
        client.GetAsync("info", DockerJson.Default.SystemInfoResponse, cancellationToken);
}
