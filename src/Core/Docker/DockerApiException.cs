using System.Net;

namespace BuildKit.Docker;

/// <summary>
/// A Docker Engine answered a request with an error; the message is the Engine's own. Ids: <c>BuildKit.ImageNotFound</c>, <c>BuildKit.ImageLoadFailed</c>, <c>BuildKit.ImagePushFailed</c>,
/// <c>BuildKit.RegistryDenied</c>, those of a pull (<see cref="Builders.EngineImages.PullImageAsync"/>), <c>BuildKit.ContainerNotFound</c>, <c>BuildKit.ContainerNotRunning</c>,
/// <c>BuildKit.EngineNotFound</c> (404), <c>BuildKit.EngineBadRequest</c> (400), <c>BuildKit.EngineAccessDenied</c> (401, 403), <c>BuildKit.EngineConflict</c> (409),
/// <c>BuildKit.EngineError</c> for the rest.
/// </summary>
public sealed class DockerApiException : BuildKitException
{
    /// <summary>Creates the error of an Engine's answer.</summary>
    /// <param name="errorId">One of the stable names above.</param>
    /// <param name="category">The kind of trouble.</param>
    /// <param name="statusCode">The HTTP status; 200 where the error came inside a stream.</param>
    /// <param name="message">The Engine's message.</param>
    /// <param name="recommendedAction">What to do next, or null.</param>
    /// <param name="innerException">What it was caused by.</param>
    public DockerApiException(
        string errorId, BuildKitErrorCategory category, HttpStatusCode statusCode, string message, string? recommendedAction = null, Exception? innerException = null)
        : base(errorId, category, message, recommendedAction, innerException)
    {
        StatusCode = statusCode;
    }

    /// <summary>The HTTP status of the answer; 200 where the error came inside a stream.</summary>
    public HttpStatusCode StatusCode { get; }

    internal static DockerApiException Create(HttpStatusCode statusCode, string message, string target)
    {
        var (id, category) = statusCode switch
        {
            HttpStatusCode.BadRequest => ("EngineBadRequest", BuildKitErrorCategory.InvalidArgument),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ("EngineAccessDenied", BuildKitErrorCategory.PermissionDenied),
            HttpStatusCode.NotFound => ("EngineNotFound", BuildKitErrorCategory.NotFound),
            HttpStatusCode.Conflict => ("EngineConflict", BuildKitErrorCategory.InvalidArgument),
            HttpStatusCode.NotImplemented => ("EngineError", BuildKitErrorCategory.NotSupported),
            _ => ("EngineError", BuildKitErrorCategory.Protocol),
        };
        return new DockerApiException("BuildKit." + id, category, statusCode, message) { Target = target };
    }
}
