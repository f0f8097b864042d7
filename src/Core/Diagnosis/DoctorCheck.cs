namespace BuildKit.Diagnosis;

/// <summary>How often a check is done.</summary>
internal enum DoctorScope
{
    /// <summary>Once, on this side.</summary>
    Client,

    /// <summary>Once a node of the builder.</summary>
    Node,

    /// <summary>Once a registry that was named.</summary>
    Registry,
}

/// <summary>A row of <see cref="DoctorTable"/>.</summary>
/// <param name="Name">Its stable name.</param>
/// <param name="Scope">How often it is done.</param>
/// <param name="RunAsync">Does it. A <see cref="BuildKitException"/> is a failed check with the error's own words.</param>
internal sealed record DoctorCheck(string Name, DoctorScope Scope, Func<Subject, CancellationToken, Task<Finding>> RunAsync)
{
    /// <summary>Checks without whose success this one can't be done.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];

    /// <summary>Checks that are done before, whose outcome this one looks at whatever it is.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];

    /// <summary>How many times longer than others it may take.</summary>
    public int Patience { get; init; } = 1;
}
