using System.Management.Automation;

namespace BuildKit.Module.Errors;

/// <summary>The one place where an exception becomes an error record.</summary>
internal static class ErrorRecordFactory
{
    /// <summary>Makes the record of an error.</summary>
    /// <param name="exception">What happened.</param>
    /// <param name="target">What it happened to, where the exception does not say.</param>
    /// <returns>A record whose id begins with <c>BuildKit.</c> and whose details say what to do.</returns>
    public static ErrorRecord Create(Exception exception, object? target) => exception switch
    {
        BuildKitException error => Create(error, error.ErrorId, CategoryOf(error.Category), error.Target ?? target, error.RecommendedAction),
        OperationCanceledException => Create(exception, "BuildKit.Canceled", ErrorCategory.OperationStopped, target, null),
        _ => Create(exception, "BuildKit.Unexpected", ErrorCategory.NotSpecified, target,
            "This is an error of the module. Please report it, with what Get-Error shows."),
    };

    /// <remarks>
    /// ConciseView joins the lines of a message when the error comes from a script, and with them the Dockerfile's; those of the advice it leaves alone.
    /// So what follows a message's first blank line is shown below the advice. The exception's message has all of it.
    /// </remarks>
    private static ErrorRecord Create(Exception exception, string id, ErrorCategory category, object? target, string? recommendedAction)
    {
        var (summary, details) = exception.Message.Split("\n\n", 2) is [var first, var rest] ? (first, "\n\n" + rest) : (exception.Message, "");
        return new ErrorRecord(exception, id, category, target)
        {
            ErrorDetails = new ErrorDetails(summary) { RecommendedAction = recommendedAction + details },
        };
    }

    private static ErrorCategory CategoryOf(BuildKitErrorCategory category) => category switch
    {
        BuildKitErrorCategory.Connection => ErrorCategory.ConnectionError,
        BuildKitErrorCategory.InvalidArgument => ErrorCategory.InvalidArgument,
        BuildKitErrorCategory.NotFound => ErrorCategory.ObjectNotFound,
        BuildKitErrorCategory.PermissionDenied => ErrorCategory.PermissionDenied,
        BuildKitErrorCategory.NotSupported => ErrorCategory.NotImplemented,
        BuildKitErrorCategory.BuildFailed => ErrorCategory.InvalidResult,
        BuildKitErrorCategory.InputOutput => ErrorCategory.DeviceError,
        BuildKitErrorCategory.Protocol => ErrorCategory.ProtocolError,
        _ => ErrorCategory.NotSpecified,
    };
}
