using System.Net;

namespace BuildKit.Docker;

/// <summary>Volumes: Docker.DotNet's <c>IVolumeOperations</c>, as far as it is used.</summary>
internal sealed class VolumeOperations(DockerEngineClient client)
{
    /// <summary>Whether the Engine has a volume of that name.</summary>
    public async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.SendAsync(HttpMethod.Get, Path(name), null, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Removes a volume with all that it holds, unless there is none of that name. One that a container mounts is <see cref="HttpStatusCode.Conflict"/>.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.SendAsync(HttpMethod.Delete, Path(name), null, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            // It is gone already.
        }
    }

    private static string Path(string name) => $"volumes/{Uri.EscapeDataString(name)}";
}
