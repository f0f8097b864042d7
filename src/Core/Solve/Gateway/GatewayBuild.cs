using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Session;
using BuildKit.Solve.Planning;

namespace BuildKit.Solve.Gateway;

/// <summary>
/// A build that the daemon holds open for us: in place of a frontend of its own it serves the gateway, until we return (moby/buildkit client/build.go).
/// It is internal: the daemon's history does not list it.
/// </summary>
internal static class GatewayBuild
{
    /// <summary>Opens a build with the session of a plan, works on it and ends it. The plan's exports and caches stay out of it.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="connection">The daemon.</param>
    /// <param name="plan">What the session serves; the caller keeps and disposes it.</param>
    /// <param name="config">Where the credentials are.</param>
    /// <param name="work">What to do while the build is open.</param>
    /// <param name="cancellationToken">Cancels the build on the daemon too.</param>
    /// <exception cref="BuildKitException">The daemon failed or refused, the connection broke, or something on this side could not be read.</exception>
    public static async Task<T> RunAsync<T>(
        BuildKitConnection connection, SolvePlan plan, DockerConfigFile config, Func<GatewayClient, CancellationToken, Task<T>> work,
        CancellationToken cancellationToken)
    {
        await using var services = new SolveServices(plan, config, new RecordedEvents(new SolveJournal(), null));
        var session = await BuildSession.OpenAsync(
            connection, plan.SessionName, plan.SharedKeyPath is null ? "" : SharedKey.For(plan.SharedKeyPath), services.Definitions, cancellationToken)
            .ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var message = Message(session.Id);
            message.Entitlements.Add(plan.Entitlements);
            try
            {
                return await HoldOpenAsync(connection, message, work, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw services.FailureBehind(e.Status.Detail) ?? session.Defect ?? SolveErrorReader.Read(e, new SolveJournal(), message.Ref, connection.Name, SolveDaemon.StoreOf(connection));
            }
        }
    }

    /// <summary>Opens a build without a session, works on it and ends it: three calls in all, for what asks nothing of this side.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="connection">The daemon.</param>
    /// <param name="work">What to do while the build is open.</param>
    /// <param name="cancellationToken">Cancels the build on the daemon too.</param>
    /// <exception cref="BuildKitException">The daemon failed or refused, or the connection broke.</exception>
    public static async Task<T> RunAsync<T>(BuildKitConnection connection, Func<GatewayClient, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var message = Message(string.Empty);
        try
        {
            return await HoldOpenAsync(connection, message, work, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw SolveErrorReader.Read(e, new SolveJournal(), message.Ref, connection.Name, SolveDaemon.StoreOf(connection));
        }
    }

    // A solve with neither frontend nor definition is what makes the daemon serve the gateway.
    private static Protocol.Control.SolveRequest Message(string sessionId) =>
        new() { Ref = Identifier.New(), Session = sessionId, Internal = true, Cache = new CacheOptions() };

    private static async Task<T> HoldOpenAsync<T>(
        BuildKitConnection connection, Protocol.Control.SolveRequest message, Func<GatewayClient, CancellationToken, Task<T>> work,
        CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var gateway = new GatewayClient(connection.Invoker, message.Ref);
        var solve = new ControlClient(connection.Invoker).SolveAsync(message, stop.Token);
        var answer = work(gateway, stop.Token);
        try
        {
            await Task.WhenAny(solve, answer).ConfigureAwait(false);
            if (solve.IsCompleted)
            {
                // Nothing was returned yet, so that the daemon ended it by itself: what it says explains what became of the work.
                await solve.ConfigureAwait(false);
                throw new BuildKitException(
                    "BuildKit.GatewayClosed", BuildKitErrorCategory.Protocol, $"'{connection.Name}' ended the build before it was done.",
                    "The daemon's log may say why.");
            }
            if (answer.IsCompletedSuccessfully)
            {
                await gateway.ReturnAsync(stop.Token).ConfigureAwait(false);
                await solve.ConfigureAwait(false);
            }
            return await answer.ConfigureAwait(false);
        }
        finally
        {
            // What has ended is not touched by it; a build whose work failed ends on the daemon by it.
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)solve).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
