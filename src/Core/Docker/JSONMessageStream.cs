using System.Runtime.CompilerServices;
using System.Text.Json;

namespace BuildKit.Docker;

/// <summary>
/// Reads the answers in which an Engine tells of a pull, a push or a load (moby <c>pkg/streamformatter</c>: one object a line). Their HTTP status is 200 before anything was done, so that
/// a failure is a message like any other.
/// </summary>
internal static class JSONMessageStream
{
    /// <summary>Reads an answer to its end. What is not JSON becomes a last message with an error that says so.</summary>
    /// <param name="client">The Engine's client, which knows its address.</param>
    /// <param name="response">The answer, whose body was not read yet.</param>
    /// <param name="cancellationToken">Ends the reading; the Engine sees it once the answer is disposed of.</param>
    /// <exception cref="Transport.ConnectionFailedException">The connection to the Engine broke before the answer's end.</exception>
    public static async IAsyncEnumerable<JSONMessage> ReadAsync(
        DockerEngineClient client, HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        while (await ReadLineAsync(client, lines, cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (line.Length == 0)
                continue;
            if (Parse(line) is not { } message)
            {
                yield return new JSONMessage { Error = "the Engine's answer is not the JSON that was expected" };
                yield break;
            }
            yield return message;
        }
    }

    private static async ValueTask<string?> ReadLineAsync(DockerEngineClient client, StreamReader lines, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw client.ConnectionLost(exception);
        }
    }

    private static JSONMessage? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, DockerJson.Default.JSONMessage);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
