using System.Net;
using System.Runtime.ExceptionServices;
using BuildKit.Transport;

namespace BuildKit.Docker;

/// <summary>The Engine's image store: Docker.DotNet's <c>IImageOperations</c>, as far as it is used.</summary>
internal sealed partial class ImageOperations(DockerEngineClient client)
{
    /// <summary>The Engine did not take an archive, for another reason than a full disk.</summary>
    internal const string LoadFailedId = "BuildKit.ImageLoadFailed";

    // moby daemon/containerd/image_exporter.go: the image is in the store then, but no container can be made of it.
    private const string UnpackFailed = "Error unpacking image ";

    /// <summary>What the Engine knows of an image; <c>BuildKit.ImageNotFound</c> where it has none of that name.</summary>
    /// <param name="name">A name, a name with digest, or an id.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<ImageInspectResponse> InspectImageAsync(string name, CancellationToken cancellationToken) => InspectImageAsync(name, null, cancellationToken);

    /// <summary>The same for one platform of an image that has several. An Engine before API 1.49 tells of the one that it would run itself all the same.</summary>
    public async Task<ImageInspectResponse> InspectImageAsync(string name, PlatformSpecifier? platform, CancellationToken cancellationToken)
    {
        try
        {
            var query = platform is null ? "" : $"?platform={Uri.EscapeDataString(PlatformJson.Of(platform))}";
            return await client.GetAsync($"images/{EscapePath(name)}/json{query}", DockerJson.Default.ImageInspectResponse, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            throw new DockerApiException(
                "BuildKit.ImageNotFound", BuildKitErrorCategory.NotFound, exception.StatusCode, exception.Message,
                "Check the image's name, or build or pull it first.", exception)
            {
                Target = name,
            };
        }
    }

    /// <summary>
    /// <c>POST /images/load</c>: puts the images of a docker or OCI archive into the store. The answer is 200 before the Engine has read anything;
    /// an error comes later in the stream and is <c>BuildKit.ImageLoadFailed</c> here, or <c>BuildKit.DaemonDiskFull</c>.
    /// </summary>
    /// <param name="writeArchive">Writes the tar archive; called once.</param>
    /// <param name="progress">Told of every message of the Engine, or null.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The names, or ids where they have none, of the images that were loaded.</returns>
    public async Task<IReadOnlyList<string>> LoadImageAsync(
        Func<Stream, CancellationToken, Task> writeArchive, IProgress<JSONMessage>? progress, CancellationToken cancellationToken)
    {
        using var answeredEarly = new CancellationTokenSource();
        using var content = new ImageArchiveContent(writeArchive, answeredEarly.Token);
        using var http = client.CreateHttpClient(stream => new EarlyAnswerStream(stream, answeredEarly));
        using var response = await SendAsync(http, content, quiet: progress is null, cancellationToken).ConfigureAwait(false);
        var loaded = new List<string>();
        await foreach (var message in JSONMessageStream.ReadAsync(client, response, cancellationToken).ConfigureAwait(false))
        {
            if (message.Failure is { } error)
                throw LoadFailed(HttpStatusCode.OK, error, null);
            if (message.Stream?.StartsWith(UnpackFailed, StringComparison.Ordinal) is true)
                throw LoadFailed(HttpStatusCode.OK, message.Stream.TrimEnd(), null);
            progress?.Report(message);
            AddLoaded(loaded, message.Stream);
        }
        return loaded;
    }

    // A name's slashes belong to the path; everything else that a URI would read as its own is escaped.
    private static string EscapePath(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    private async Task<HttpResponseMessage> SendAsync(HttpClient http, ImageArchiveContent content, bool quiet, CancellationToken cancellationToken)
    {
        try
        {
            return await client.SendAsync(http, HttpMethod.Post, $"images/load?quiet={(quiet ? 1 : 0)}", content, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (PullErrorTable.IsDiskFull(exception.Message))
        {
            throw LoadFailed(exception.StatusCode, exception.Message, exception);
        }
        catch (ConnectionFailedException) when (content.Failure is not null)
        {
            // HttpClient takes whatever an archive's writer throws for a fault of the connection.
            ExceptionDispatchInfo.Throw(content.Failure);
            throw;
        }
    }

    // moby daemon/images/image_exporter.go and daemon/containerd/image_exporter.go write these lines.
    private static void AddLoaded(List<string> loaded, string? text)
    {
        foreach (var prefix in (ReadOnlySpan<string>)["Loaded image ID: ", "Loaded image: "])
        {
            if (text is not null && text.StartsWith(prefix, StringComparison.Ordinal))
                loaded.Add(text[prefix.Length..].TrimEnd());
        }
    }

    private DockerApiException LoadFailed(HttpStatusCode statusCode, string message, Exception? inner)
    {
        var isFull = PullErrorTable.IsDiskFull(message);
        return new DockerApiException(
            isFull ? PullErrorTable.DiskFullId : LoadFailedId, BuildKitErrorCategory.InputOutput, statusCode, message,
            isFull ? PullErrorTable.DiskFullAction : "The message is the Docker Engine's own: check that the archive is whole, and see the Engine's log.", inner)
        {
            Target = client.Address,
        };
    }
}
