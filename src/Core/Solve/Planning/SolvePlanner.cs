using BuildKit.Solve.Exporters;
using BuildKit.Solve.Nodes;

namespace BuildKit.Solve.Planning;

/// <summary>Turns a request into a <see cref="SolvePlan"/> for one daemon; each rule has its own place, this is their order.</summary>
internal static class SolvePlanner
{
    /// <summary>Plans a request.</summary>
    /// <returns>The plan; the caller disposes it.</returns>
    /// <exception cref="BuildKitException">The request can't be right, or the daemon can't do it.</exception>
    public static async Task<SolvePlan> PlanAsync(SolveRequest request, SolveDaemon daemon, CancellationToken cancellationToken)
    {
        request = PlatformPlanner.Normalize(request, daemon);
        var plan = new SolvePlan();
        try
        {
            ExportPlanner.AddTo(plan, request, daemon);
            ExportOptions.AddTo(plan, request, daemon);
            if (request.IsPart)
                NodeExports.AddTo(plan);
            LayoutExports.AddTo(plan);
            await EngineLoads.AddToAsync(plan, request, cancellationToken).ConfigureAwait(false);
            await DockerfileInputs.AddToAsync(plan, request, daemon, cancellationToken).ConfigureAwait(false);
            NamedContexts.AddTo(plan, request, daemon);
            FrontendOptions.AddTo(plan, request, daemon);
            await CachePlanner.AddToAsync(plan, request, daemon, cancellationToken).ConfigureAwait(false);
            plan.SourcePolicy = await SourcePolicyFile.ReadAsync(request, daemon, cancellationToken).ConfigureAwait(false);
            await SecretPlanner.AddToAsync(plan, request, cancellationToken).ConfigureAwait(false);
            await GitInfo.AddToAsync(plan, request, GitSettings.Read(), cancellationToken).ConfigureAwait(false);
            foreach (var (name, value) in request.FrontendOptions)
                plan.FrontendAttributes[name] = value;
            return plan;
        }
        catch
        {
            await plan.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
