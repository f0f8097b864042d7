using BuildKit.Builders;

namespace BuildKit.Solve.Planning;

/// <summary>Something that is done on this side once the daemon has succeeded: an Engine told to push, an index of a local cache brought up to date.</summary>
internal interface IAfterSolve
{
    /// <summary>Does it. Nothing half-written stays where it throws.</summary>
    /// <param name="connection">The daemon that built.</param>
    /// <param name="response">What the exporters and the cache exporters returned; a step may add to it or correct it.</param>
    /// <param name="events">Is told of progress, as if the daemon reported it; null where nobody listens.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task RunAsync(BuildKitConnection connection, IDictionary<string, string> response, IProgress<SolveEvent>? events, CancellationToken cancellationToken);
}
