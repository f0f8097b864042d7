namespace BuildKit;

/// <summary>What kind of trouble an error is; the module maps it to PowerShell's own categories.</summary>
public enum BuildKitErrorCategory
{
    /// <summary>The daemon can't be reached, or the connection broke.</summary>
    Connection,

    /// <summary>What the user asked for can't be right: a name, a path, an option.</summary>
    InvalidArgument,

    /// <summary>Something named does not exist.</summary>
    NotFound,

    /// <summary>Rights are missing: a socket, a file, a registry.</summary>
    PermissionDenied,

    /// <summary>The daemon, or its image store, can't do this.</summary>
    NotSupported,

    /// <summary>The build ran and failed.</summary>
    BuildFailed,

    /// <summary>Reading the context or writing an output failed on this side.</summary>
    InputOutput,

    /// <summary>The other side broke the protocol.</summary>
    Protocol,
}

/// <summary>
/// The base of every error that this library raises on purpose. The message says what happened in words for a person;
/// <see cref="ErrorId"/> is stable and can be matched by scripts; <see cref="RecommendedAction"/> says what to do next. None of them holds a secret.
/// </summary>
public class BuildKitException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="errorId">A stable name such as <c>BuildKit.ConnectionRefused</c>.</param>
    /// <param name="category">The kind of trouble.</param>
    /// <param name="message">What happened, in a sentence.</param>
    /// <param name="recommendedAction">What to do next, in a sentence; null where there is nothing sensible to say.</param>
    /// <param name="innerException">What it was caused by.</param>
    public BuildKitException(string errorId, BuildKitErrorCategory category, string message, string? recommendedAction = null, Exception? innerException = null)
        : base(message, innerException)
    {
        ErrorId = errorId;
        Category = category;
        RecommendedAction = recommendedAction;
    }

    /// <summary>The stable name of this error, <c>BuildKit.</c> and a word.</summary>
    public string ErrorId { get; }

    /// <summary>The kind of trouble.</summary>
    public BuildKitErrorCategory Category { get; }

    /// <summary>What happened, in a sentence; where a builder has several nodes, with the node's name before it.</summary>
    public override string Message => Node is null ? base.Message : $"Node '{Node}': {base.Message}";

    /// <summary>The name of the builder's node that it happened on, set by who knows it; null where there is one node alone.</summary>
    public string? Node { get; set; }

    /// <summary>What to do next, or null.</summary>
    public string? RecommendedAction { get; }

    /// <summary>What the error is about: a path, an address, an image name; or null.</summary>
    public string? Target { get; init; }
}
