using System.Net;
using System.Text.Json;

namespace BuildKit.Docker;

/// <summary>Processes in containers: Docker.DotNet's <c>IExecOperations</c>, as far as it is used.</summary>
internal sealed class ExecOperations(DockerEngineClient client)
{
    private static readonly byte[] StartBody = JsonSerializer.SerializeToUtf8Bytes(new ExecStartParameters(), DockerJson.Default.ExecStartParameters);

    /// <summary>Starts a command in a running container, attached to its three streams.</summary>
    /// <param name="container">The container's name or id.</param>
    /// <param name="command">The command and its arguments.</param>
    /// <param name="cancellationToken">Ends the attempt; the returned stream does not depend on it.</param>
    /// <returns>The raw stream: what goes in is standard input, what comes out is framed (<see cref="MultiplexedStream"/>).</returns>
    /// <exception cref="DockerApiException"><c>BuildKit.ContainerNotFound</c>, <c>BuildKit.ContainerNotRunning</c>, or what else the Engine says.</exception>
    public async Task<Stream> StartAndAttachAsync(string container, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var parameters = new ExecCreateParameters { AttachStdin = true, AttachStdout = true, AttachStderr = true, Cmd = command };
        using var content = DockerEngineClient.ToContent(parameters, DockerJson.Default.ExecCreateParameters);
        ExecCreateResponse created;
        try
        {
            created = await client.PostAsync($"containers/{Uri.EscapeDataString(container)}/exec", content, DockerJson.Default.ExecCreateResponse, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            throw exception.StatusCode == HttpStatusCode.NotFound
                ? Refused("BuildKit.ContainerNotFound", BuildKitErrorCategory.NotFound, exception, container, "Check the container's name, and which Docker Engine it is on.")
                : Refused("BuildKit.ContainerNotRunning", BuildKitErrorCategory.Connection, exception, container, "Start the container, and look into its log if it ends again.");
        }
        return await client.UpgradeAsync($"exec/{created.Id}/start", "tcp", StartBody, cancellationToken).ConfigureAwait(false);
    }

    private static DockerApiException Refused(string id, BuildKitErrorCategory category, DockerApiException exception, string container, string action) =>
        new(id, category, exception.StatusCode, exception.Message, action, exception) { Target = container };
}
