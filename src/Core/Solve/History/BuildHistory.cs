using BuildKit.Builders;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;

namespace BuildKit.Solve.History;

/// <summary>The records that a daemon keeps of its builds: BuildKit from 0.11 on, Docker Engine from 23 on.</summary>
internal sealed class BuildHistory(CallInvoker invoker)
{
    /// <summary>Finds the record of a build.</summary>
    /// <param name="solveRef">The build's reference.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The newest state of the record; null where the daemon keeps none.</returns>
    /// <exception cref="RpcException">The call failed.</exception>
    public async Task<BuildHistoryRecord?> FindAsync(string solveRef, CancellationToken cancellationToken)
    {
        BuildHistoryRecord? record = null;
        try
        {
            using var call = new ControlClient(invoker).ListenBuildHistory(new BuildHistoryRequest { Ref = solveRef, EarlyExit = true }, cancellationToken);
            while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                record = call.ResponseStream.Current.Record ?? record;
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Unimplemented or StatusCode.NotFound)
        {
            return null;
        }
        return record;
    }
}
