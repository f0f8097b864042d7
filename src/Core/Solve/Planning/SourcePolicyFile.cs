using BuildKit.Protocol.SourcePolicy;
using Google.Protobuf;

namespace BuildKit.Solve.Planning;

/// <summary>The source policy of a build (docker/buildx build/build.go).</summary>
internal static class SourcePolicyFile
{
    private const string PathVariable = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";

    // Go's reader passes over what it does not know.
    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>Reads the file that the request or the variable names.</summary>
    /// <returns>Null where none is named.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.SourcePolicyUnreadable</c> or <c>BuildKit.SourcePolicyInvalid</c>.</exception>
    public static async Task<Policy?> ReadAsync(SolveRequest request, SolveDaemon daemon, CancellationToken cancellationToken)
    {
        var path = request.SourcePolicyFile ?? daemon.Variable(PathVariable);
        if (string.IsNullOrEmpty(path))
            return null;
        byte[] bytes;
        try
        {
            bytes = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BuildKitException(
                "BuildKit.SourcePolicyUnreadable", BuildKitErrorCategory.NotFound, $"The source policy '{Path.GetFullPath(path)}' can't be read: {e.Message}",
                $"Correct or remove $env:{PathVariable}.", e)
            { Target = path };
        }
        return Parse(bytes, path);
    }

    private static Policy Parse(byte[] bytes, string path)
    {
        try
        {
            return Json.Parse<Policy>(System.Text.Encoding.UTF8.GetString(bytes));
        }
        catch (Exception notJson) when (notJson is InvalidJsonException or InvalidProtocolBufferException)
        {
            try
            {
                return Policy.Parser.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException)
            {
                throw new BuildKitException(
                    "BuildKit.SourcePolicyInvalid", BuildKitErrorCategory.InvalidArgument, $"'{path}' is no source policy: {notJson.Message}",
                    """Write it like { "rules": [ { "action": "DENY", "selector": { "identifier": "docker-image://docker.io/*" } } ] }.""", notJson)
                { Target = path };
            }
        }
    }
}
