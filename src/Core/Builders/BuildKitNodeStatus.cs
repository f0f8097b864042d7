namespace BuildKit.Builders;

/// <summary>How a node of a builder is (docker/buildx driver/driver.go, Status).</summary>
public enum BuildKitNodeStatus
{
    /// <summary>Not asked.</summary>
    Unknown,

    /// <summary>There is nothing to start yet: the first build creates it.</summary>
    Inactive,

    /// <summary>It is about to run.</summary>
    Starting,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It is about to stop.</summary>
    Stopping,

    /// <summary>It was created and does not run; the next build starts it.</summary>
    Stopped,

    /// <summary>It can't be asked, or what runs it is gone.</summary>
    Error,
}
