using System.Net;
using System.Net.Http.Headers;

namespace BuildKit.Docker;

/// <summary>Containers: Docker.DotNet's <c>IContainerOperations</c>, as far as it is used. Errors are <see cref="DockerApiException"/>s with the Engine's words.</summary>
internal sealed class ContainerOperations(DockerEngineClient client)
{
    /// <summary>Makes a container, and the volumes it mounts, without starting it. A name that is taken is <see cref="HttpStatusCode.Conflict"/>.</summary>
    /// <param name="name">Its name; null for one that the Engine invents.</param>
    /// <param name="parameters">What it is.</param>
    /// <param name="cancellationToken">Ends the call; whether the Engine made the container is not known then.</param>
    /// <returns>Its id.</returns>
    public async Task<string> CreateContainerAsync(string? name, CreateContainerParameters parameters, CancellationToken cancellationToken)
    {
        using var content = DockerEngineClient.ToContent(parameters, DockerJson.Default.CreateContainerParameters);
        var query = name is null ? string.Empty : $"?name={Uri.EscapeDataString(name)}";
        return (await client.PostAsync($"containers/create{query}", content, DockerJson.Default.CreateContainerResponse, cancellationToken).ConfigureAwait(false)).ID;
    }

    /// <summary>What the Engine knows of a container.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Null where there is no such container.</returns>
    public async Task<ContainerInspectResponse?> InspectContainerAsync(string container, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetAsync(Path(container, "/json"), DockerJson.Default.ContainerInspectResponse, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Starts a container, unless it runs.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task StartContainerAsync(string container, CancellationToken cancellationToken) => ChangeAsync(HttpMethod.Post, Path(container, "/start"), cancellationToken);

    /// <summary>Asks a container to end, and kills it ten seconds later, unless it does not run.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task StopContainerAsync(string container, CancellationToken cancellationToken) => ChangeAsync(HttpMethod.Post, Path(container, "/stop"), cancellationToken);

    /// <summary>Removes a container with its anonymous volumes, and kills it first where it runs.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task RemoveContainerAsync(string container, CancellationToken cancellationToken) =>
        ChangeAsync(HttpMethod.Delete, Path(container, "?force=1&v=1"), cancellationToken);

    /// <summary>Unpacks a tar archive in a container, which need not run.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="path">A folder that is there.</param>
    /// <param name="archive">The archive.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task ExtractArchiveToContainerAsync(string container, string path, ReadOnlyMemory<byte> archive, CancellationToken cancellationToken)
    {
        using var content = new ReadOnlyMemoryContent(archive);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        using var response = await client.SendAsync(HttpMethod.Put, Path(container, $"/archive?path={Uri.EscapeDataString(path)}"), content, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>The end of what a container wrote: of its standard error, or of its standard output where it wrote no other.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="lines">How many lines.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The lines, without the last line break.</returns>
    public async Task<string> GetContainerLogsAsync(string container, int lines, CancellationToken cancellationToken)
    {
        foreach (var stream in (string[])["stderr", "stdout"])
        {
            using var response = await client.SendAsync(HttpMethod.Get, Path(container, $"/logs?{stream}=1&tail={lines}"), null, cancellationToken).ConfigureAwait(false);
            try
            {
                var log = MultiplexedStream.Decode(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)).Trim();
                if (log.Length > 0)
                    return log;
            }
            catch (HttpRequestException exception)
            {
                throw client.ConnectionLost(exception);
            }
        }
        return string.Empty;
    }

    private async Task ChangeAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.SendAsync(method, path, null, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotModified)
        {
            // It is so already.
        }
    }

    private static string Path(string container, string rest) => $"containers/{Uri.EscapeDataString(container)}{rest}";
}
