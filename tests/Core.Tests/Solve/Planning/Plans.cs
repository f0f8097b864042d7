using BuildKit.Builders;
using BuildKit.Solve;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Planning;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

/// <summary>Plans requests for daemons that exist as facts alone.</summary>
internal static class Plans
{
    public static SolveRequest Request { get; } = new() { DockerfileText = "FROM scratch\n" };

    /// <summary>A daemon of the present, in an empty environment.</summary>
    public static SolveDaemon Daemon(DaemonStore store = DaemonStore.Buildkitd, params (string Name, string Value)[] variables) => new(store)
    {
        ApiVersion = store == DaemonStore.Buildkitd ? null : "1.51",
        // An Engine with the containerd store does not tell it.
        Workers = [Worker(store == DaemonStore.EngineContainerd ? null : "v0.25.2")],
        Variable = name => variables.FirstOrDefault(variable => variable.Name == name).Value,
    };

    public static SolveDaemon OldEngine { get; } = Daemon(DaemonStore.EngineGraphdriver) with { ApiVersion = "1.41", Workers = [Worker(null)] };

    public static BuildKitWorker Worker(string? version, string? hostGateway = null) => new()
    {
        Id = "w",
        Version = version,
        Platforms = ["linux/amd64", "linux/386"],
        Labels = hostGateway is null ? new Dictionary<string, string>() : new() { ["org.mobyproject.buildkit.worker.moby.host-gateway-ip"] = hostGateway },
    };

    public static Task<SolvePlan> PlanAsync(this SolveRequest request, SolveDaemon? daemon = null) => SolvePlanner.PlanAsync(request, daemon ?? Daemon(), default);

    public static async Task<string?> AttributeAsync(this SolveRequest request, string name, SolveDaemon? daemon = null)
    {
        await using var plan = await request.PlanAsync(daemon);
        return plan.FrontendAttributes.GetValueOrDefault(name);
    }

    public static async Task<BuildKitException> RefusesAsync(this SolveRequest request, string errorId, SolveDaemon? daemon = null)
    {
        var error = await Assert.ThrowsAsync<BuildKitException>(() => request.PlanAsync(daemon));
        Assert.Equal(errorId, error.ErrorId);
        Assert.False(string.IsNullOrEmpty(error.RecommendedAction));
        return error;
    }
}
