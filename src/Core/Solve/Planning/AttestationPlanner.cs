using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>Attestations of the result (docker/buildx util/buildflags/attests.go, build/opt.go).</summary>
internal static class AttestationPlanner
{
    private const string Provenance = "provenance";
    private const string NoDefaultVariable = "BUILDX_NO_DEFAULT_ATTESTATIONS";

    private static readonly string[] Types = [Provenance, "sbom"];
    private static readonly string[] ProvenanceModes = ["min", "max", "full"];

    /// <summary>Adds those asked for, the first of each type, and minimal provenance where nothing was said of it.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAttestation</c> or <c>BuildKit.AttestationsNotSupported</c>.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request, SolveDaemon daemon)
    {
        var asked = new Dictionary<string, SolveAttestation>();
        foreach (var attestation in request.Attestations)
        {
            Validate(attestation);
            asked.TryAdd(attestation.Type.ToLowerInvariant(), attestation);
        }

        foreach (var (type, attestation) in asked.Where(entry => !entry.Value.Disabled))
        {
            RefuseWhereUnsupported(type, daemon);
            plan.FrontendAttributes[$"attest:{type}"] = GoCsv.Join(
                attestation.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Prepend(KeyValuePair.Create("type", type)));
        }
        if (!asked.ContainsKey(Provenance) && IsSupported(daemon) && !IsDefaultOff(daemon))
            plan.FrontendAttributes["attest:provenance"] = "mode=min,inline-only=true";
    }

    private static bool IsSupported(SolveDaemon daemon) => daemon.Store != DaemonStore.EngineGraphdriver && !daemon.IsOlderThan011;

    private static void RefuseWhereUnsupported(string type, SolveDaemon daemon)
    {
        if (IsSupported(daemon))
            return;
        throw daemon.Store == DaemonStore.EngineGraphdriver
            ? new BuildKitException(
                "BuildKit.AttestationsNotSupported", BuildKitErrorCategory.NotSupported,
                $"This Engine keeps its images in the classic store, which has no place for attestations ({type}).",
                $"Switch the Engine to the containerd image store {ExporterTable.ContainerdStoreSetting}, build with a standalone buildkitd, or leave them out.")
            { Target = type }
            : new BuildKitException(
                "BuildKit.AttestationsNotSupported", BuildKitErrorCategory.NotSupported, $"This daemon's BuildKit is older than 0.11, which brought attestations ({type}).",
                "Build with a newer daemon, or leave them out.")
            { Target = type };
    }

    private static bool IsDefaultOff(SolveDaemon daemon)
    {
        if (daemon.Variable(NoDefaultVariable) is not { Length: > 0 } text)
            return false;
        return GoBoolean.Parse(text) ?? throw new BuildKitException(
            "BuildKit.InvalidVariable", BuildKitErrorCategory.InvalidArgument, $"The variable {NoDefaultVariable} is '{text}', which is neither true nor false.",
            $"Set $env:{NoDefaultVariable} to 1 or 0, or remove it.")
        { Target = NoDefaultVariable };
    }

    private static void Validate(SolveAttestation attestation)
    {
        if (!Types.Contains(attestation.Type, StringComparer.OrdinalIgnoreCase))
            throw Invalid(attestation.Type, $"There is no attestation of type '{attestation.Type}', only {string.Join(" and ", Types)}.");
        if (!attestation.Type.Equals(Provenance, StringComparison.OrdinalIgnoreCase))
        {
            if (attestation.Attributes.TryGetValue("generator", out var generator) && generator.Length == 0)
                throw Invalid(attestation.Type, "The generator of an sbom is an image, and none was named.");
        }
        else if (attestation.Attributes.TryGetValue("mode", out var mode) && !ProvenanceModes.Contains(mode))
            throw Invalid(attestation.Type, $"There is no provenance of mode '{mode}', only min and max.");
    }

    private static BuildKitException Invalid(string target, string message) =>
        new("BuildKit.InvalidAttestation", BuildKitErrorCategory.InvalidArgument, message,
            "Write it like -Attest 'type=provenance,mode=max' or 'type=sbom,generator=IMAGE', -Provenance mode=max, -Sbom $true.")
        { Target = target };
}
