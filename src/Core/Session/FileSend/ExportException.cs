namespace BuildKit.Session.FileSend;

/// <summary>
/// Receiving an output or putting it into place failed on this side: the disk, the rights, or what the daemon sent. <see cref="BuildKitException.Target"/> is the path on this side.
/// Its ids: <c>BuildKit.OutputDiskFull</c>, <c>BuildKit.OutputDenied</c>, <c>BuildKit.OutputNameTooLong</c>, <c>BuildKit.OutputNameConflict</c>, <c>BuildKit.OutputUnsafePath</c>,
/// <c>BuildKit.OutputProtocolViolation</c>, <c>BuildKit.OutputUnsupported</c>, <c>BuildKit.OutputDestinationInvalid</c>, <c>BuildKit.OutputIncomplete</c>, <c>BuildKit.OutputFailed</c>.
/// Where a Docker Engine was to load the image, <c>BuildKit.ImageLoadFailed</c> and the ids of <see cref="BuildKit.Docker.DockerApiException"/> and of lost connections.
/// </summary>
public sealed class ExportException : BuildKitException
{
    /// <summary>Creates the error of an output.</summary>
    /// <param name="errorId">One of the ids above.</param>
    /// <param name="category">The kind of trouble.</param>
    /// <param name="message">What happened, in a sentence.</param>
    /// <param name="recommendedAction">What to do next, or null.</param>
    /// <param name="innerException">What it was caused by, or null.</param>
    public ExportException(string errorId, BuildKitErrorCategory category, string message, string? recommendedAction = null, Exception? innerException = null)
        : base(errorId, category, message, recommendedAction, innerException)
    {
    }
}
