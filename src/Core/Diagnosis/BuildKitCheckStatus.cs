namespace BuildKit.Diagnosis;

/// <summary>How a check ended.</summary>
public enum BuildKitCheckStatus
{
    /// <summary>It is as it should be.</summary>
    Pass,

    /// <summary>It works, with a limit or a risk that a person should know of.</summary>
    Warning,

    /// <summary>Builds fail by it, or will.</summary>
    Fail,

    /// <summary>It was not checked, because it does not apply, can't be known, or another check that it needs has failed.</summary>
    Skipped,
}
