using BuildKit.Builders;
using BuildKit.Solve.Exporters;

namespace BuildKit.Solve.Planning;

/// <summary>
/// Exports that a Docker Engine beside the builder loads (docker/buildx build/opt.go, util/dockerutil): finds that Engine, and what its image load can take.
/// </summary>
internal static class EngineLoads
{
    // docker/buildx docs: type=docker,context=NAME
    private const string ContextAttribute = "context";
    private const string PreferImageDigest = "prefer-image-digest";

    private const string NotFoundId = "BuildKit.LoadEngineNotFound";

    private const string OtherWays =
        "name another Engine with -LoadInto (an address, a docker context or a connection), or write a file with -Output type=oci,dest=image.tar";

    /// <summary>Gives every export of that kind its Engine and its name on the wire.</summary>
    /// <exception cref="BuildKitException">There is no such Engine, or its image store can't hold the result.</exception>
    public static async Task AddToAsync(SolvePlan plan, SolveRequest request, CancellationToken cancellationToken)
    {
        for (var index = 0; index < plan.Exports.Count; index++)
        {
            var export = plan.Exports[index];
            if (export.DestinationKind != ExporterDestination.Engine)
                continue;
            var engine = await FindEngineAsync(plan, request, export.Attributes.GetValueOrDefault(ContextAttribute), cancellationToken).ConfigureAwait(false);
            plan.Exports[index] = ForEngine(export, engine, request);
        }
    }

    private static PlannedExport ForEngine(PlannedExport export, BuildKitConnection engine, SolveRequest request)
    {
        var attributes = export.Attributes.ToDictionary();
        attributes.Remove(ContextAttribute);
        if (engine.ImageStore == BuildKitImageStore.Containerd)
        {
            // BuildKit issue moby/moby#45458: without it the config's digest is reported as the image's.
            attributes.TryAdd(PreferImageDigest, "true");
            return export with { WireName = "oci", Attributes = attributes, Engine = engine };
        }
        if (request.Platforms.Count > 1)
            throw ClassicStore("BuildKit.MultiPlatformNotSupported", engine, "which holds one platform an image", "name one platform");
        if (request.Attestations.Any(attestation => !attestation.Disabled))
            throw ClassicStore("BuildKit.AttestationsNotSupported", engine, "which can't hold attestations", "leave out the attestations");
        return export with { WireName = "docker", Attributes = attributes, Engine = engine };
    }

    /// <summary>The Engine that is meant: the one that the output names, the request's, or the one that docker itself would talk to.</summary>
    private static async Task<BuildKitConnection> FindEngineAsync(SolvePlan plan, SolveRequest request, string? contextName, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(contextName) && request.LoadInto is { } given)
            return Demand(given);
        BuildKitEndpoint? endpoint = null;
        try
        {
            endpoint = await new EndpointResolver().ResolveEngineAsync(contextName, cancellationToken).ConfigureAwait(false);
            var connection = await BuildKitConnection.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            plan.Resources.Add(connection);
            return Demand(connection);
        }
        catch (BuildKitException e) when (e.ErrorId != NotFoundId)
        {
            throw NoEngine(endpoint, e.Message.TrimEnd('.'), e);
        }
    }

    private static BuildKitConnection Demand(BuildKitConnection connection) => connection.Kind == BuildKitServerKind.DockerEngine
        ? connection
        : throw NoEngine(connection.Endpoint, "a standalone buildkitd answers there, which has no images of docker's", null);

    private static BuildKitException NoEngine(BuildKitEndpoint? endpoint, string why, BuildKitException? inner) =>
        new(NotFoundId, inner?.Category ?? BuildKitErrorCategory.InvalidArgument,
            $"The build needs no Docker Engine, but the image is to be loaded into one{(endpoint is null ? "" : $", and '{endpoint.Address}' is not it")}: {why}.",
            $"Start the Engine, {OtherWays}.", inner)
        { Target = endpoint?.Address };

    private static BuildKitException ClassicStore(string id, BuildKitConnection engine, string limit, string orElse) =>
        new(id, BuildKitErrorCategory.NotSupported,
            $"The Docker Engine '{engine.Name}' that is to load the image keeps its images in the classic store, {limit}.",
            $"Switch that Engine to the containerd image store {ExporterTable.ContainerdStoreSetting}, {OtherWays}, or {orElse}.")
        { Target = engine.Name };
}
