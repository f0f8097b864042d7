using System.Net;
using System.Text.Json;

namespace BuildKit.Docker;

/// <summary>Processes in containers: Docker.DotNet's <c>IExecOperations</c>, as far as it is used.</summary>
internal sealed class ExecOperations(DockerEngineClient client)
{
    private static readonly byte[] StartBody = JsonSerializer.SerializeToUtf8Bytes(new ExecStartParameters(), DockerJson.Default.ExecStartParameters);

    /// <summary>Prepares a command in a running container, to be attached to its three streams.</summary>
    /// <param name="container">The container's name or id.</param>
    /// <param name="command">The command and its arguments.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The id by which it is started.</returns>
    /// <exception cref="DockerApiException"><c>BuildKit.ContainerNotFound</c>, <c>BuildKit.ContainerNotRunning</c>, or what else the Engine says.</exception>
    public async Task<string> CreateAsync(string container, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var parameters = new ExecCreateParameters { AttachStdin = true, AttachStdout = true, AttachStderr = true, Cmd = command };
        using var content = DockerEngineClient.ToContent(parameters, DockerJson.Default.ExecCreateParameters);
        try
        {
            var path = $"containers/{Uri.EscapeDataString(container)}/exec";
            return (await client.PostAsync(path, content, DockerJson.Default.ExecCreateResponse, cancellationToken).ConfigureAwait(false)).Id;
        }
        catch (DockerApiException exception) when (exception.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            throw exception.StatusCode == HttpStatusCode.NotFound
                ? Refused("BuildKit.ContainerNotFound", BuildKitErrorCategory.NotFound, exception, container, "Check the container's name, and which Docker Engine it is on.")
                : Refused("BuildKit.ContainerNotRunning", BuildKitErrorCategory.Connection, exception, container, "Start the container, and look into its log if it ends again.");
        }
    }

    /// <summary>Starts a command that was prepared by this client.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Ends the attempt; the returned stream does not depend on it.</param>
    /// <returns>The raw stream: what goes in is standard input, what comes out is framed (<see cref="MultiplexedStream"/>).</returns>
    public Task<Stream> StartAndAttachAsync(string id, CancellationToken cancellationToken) => client.UpgradeAsync($"exec/{id}/start", "tcp", StartBody, cancellationToken);

    /// <summary>Whether a command runs.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>False too where it has ended long ago and is forgotten.</returns>
    public async Task<bool> IsRunningAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.GetAsync($"exec/{id}/json", DockerJson.Default.ExecInspectResponse, cancellationToken).ConfigureAwait(false)).Running;
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static DockerApiException Refused(string id, BuildKitErrorCategory category, DockerApiException exception, string container, string action) =>
        new(id, category, exception.StatusCode, exception.Message, action, exception) { Target = container };
}
