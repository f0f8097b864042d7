using BuildKit.Builders;

namespace BuildKit.Diagnosis;

/// <summary>What <see cref="BuildKitDoctor"/> is to look at.</summary>
public sealed record BuildKitDoctorRequest
{
    /// <summary>
    /// An address, the name of a builder or of a docker context, or null for what the settings say.
    /// Not looked at where <see cref="Node"/>, <see cref="Endpoint"/> or <see cref="Connection"/> is given.
    /// </summary>
    public string? Builder { get; init; }

    /// <summary>The only node of a builder to look at, as <see cref="BuilderManager"/> lists it; null for all.</summary>
    public BuildKitNode? Node { get; init; }

    /// <summary>Where the daemon is; null to find it by <see cref="Builder"/>.</summary>
    public BuildKitEndpoint? Endpoint { get; init; }

    /// <summary>An open connection; it stays open. Null to open one for the checks.</summary>
    public BuildKitConnection? Connection { get; init; }

    /// <summary>
    /// The registries whose credentials are looked for, such as <c>ghcr.io</c>; <c>*</c> stands for all that the docker config names. Programs that keep credentials are run for
    /// these alone: with none given, it is only checked that they are there.
    /// </summary>
    public IReadOnlyList<string> Registries { get; init; } = [];

    /// <summary>Platforms that the builder must have, such as <c>linux/arm64</c>.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];

    /// <summary>Whether each exporter is tried by a build of one file. Nothing of it stays.</summary>
    public bool Probe { get; init; }

    /// <summary>Says which checks are wanted, by name; what these need is done as well, and told where it fails. Null for all.</summary>
    public Func<string, bool>? Includes { get; init; }

    /// <summary>How long one check may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Reads a variable of the environment; null where it is not set.</summary>
    internal Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;
}
