namespace BuildKit.Solve.Planning;

/// <summary>What a build may do beyond the usual (<c>--allow</c>, <c>--network</c>; moby/buildkit util/entitlements).</summary>
internal static class Entitlements
{
    private const string NetworkHost = "network.host";
    private const string Device = "device";

    public static IReadOnlyList<string> Names { get; } = [NetworkHost, "security.insecure", Device];

    /// <summary>Adds entitlements and the network mode.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidEntitlement</c> or <c>BuildKit.NetworkNotSupported</c>.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request)
    {
        foreach (var entitlement in request.Entitlements.Where(entitlement => entitlement.Length > 0))
        {
            Validate(entitlement);
            plan.Entitlements.Add(entitlement);
        }
        AddNetwork(plan, request.Network);
    }

    private static void AddNetwork(SolvePlan plan, string? network)
    {
        if (network is null or "" or "default")
            return;
        if (network is not ("host" or "none"))
            throw new BuildKitException(
                "BuildKit.NetworkNotSupported", BuildKitErrorCategory.NotSupported, $"BuildKit has no network '{network}' for steps, only default, none and host.",
                "A network of Docker's is chosen for a whole builder: docker buildx create --driver-opt network=NAME.")
            { Target = network };
        plan.FrontendAttributes["force-network-mode"] = network;
        if (network == "host" && !plan.Entitlements.Contains(NetworkHost))
            plan.Entitlements.Add(NetworkHost);
    }

    private static void Validate(string entitlement)
    {
        var parts = entitlement.Split('=', 2);
        if (parts is [Device, var device])
        {
            foreach (var field in device.Split(',').Skip(1))
                if (!field.StartsWith("alias=", StringComparison.Ordinal))
                    throw Invalid(entitlement, $"a device takes nothing but alias=NAME, and '{field}' is something else");
            return;
        }
        if (!Names.Contains(entitlement))
            throw Invalid(entitlement, $"there are only {string.Join(", ", Names)}");
    }

    private static BuildKitException Invalid(string entitlement, string why) =>
        new("BuildKit.InvalidEntitlement", BuildKitErrorCategory.InvalidArgument, $"'{entitlement}' can't be granted: {why}.",
            "Write it like -Allow network.host, security.insecure or 'device=vendor.com/class=name,alias=gpu' (in quotes).")
        { Target = entitlement };
}
