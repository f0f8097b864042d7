using System.Text.Json;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Solve.History;

namespace BuildKit.Solve.Provenance;

/// <summary>Reads the provenance of a build that has succeeded from the daemon's history (docker/buildx build/provenance.go).</summary>
internal static class RecordedProvenance
{
    /// <summary>How large a predicate may be, in bytes. One holds every step of the build, but no contents.</summary>
    private const int LargestPredicate = 64 * 1024 * 1024;

    /// <summary>How long the daemon may take; its history is a local database.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private const string MediaType = "application/vnd.in-toto+json";
    private const string TypeAnnotation = "in-toto.io/predicate-type";

    /// <summary>Reads it.</summary>
    /// <param name="invoker">Makes calls to the daemon that built.</param>
    /// <param name="solveRef">The build's reference.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <returns>
    /// One predicate a platform, in the order of their names; none where the daemon keeps no history or the result has no layers. And why it could not be read, a sentence,
    /// or null: a build that has succeeded does not fail for this.
    /// </returns>
    public static async Task<(IReadOnlyList<ProvenancePredicate> Predicates, string? Trouble)> ReadAsync(
        CallInvoker invoker, string solveRef, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            var record = await new BuildHistory(invoker).FindAsync(solveRef, limit.Token).ConfigureAwait(false);
            var content = new DaemonContent(invoker);
            var predicates = new List<ProvenancePredicate>();
            foreach (var (platform, result) in Results(record))
            {
                if (result.Attestations.FirstOrDefault(IsProvenance) is { } blob)
                    predicates.Add(new ProvenancePredicate(
                        platform, blob.Annotations[TypeAnnotation], await content.ReadAsync(blob, LargestPredicate, limit.Token).ConfigureAwait(false)));
            }
            return (predicates, null);
        }
        catch (Exception e) when (e is RpcException or InvalidDataException or JsonException or ArgumentException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            var why = e switch { RpcException rpc => rpc.Status.Detail, OperationCanceledException => "the daemon did not answer in time", _ => e.Message };
            return ([], $"The build's provenance can't be read from the daemon's history: {why}.");
        }
    }

    // With several platforms Result is there too, for the image's descriptor alone.
    private static IEnumerable<(string? Platform, BuildResultInfo Result)> Results(BuildHistoryRecord? record) => record switch
    {
        null => [],
        { Results.Count: > 0 } => record.Results.OrderBy(result => result.Key, StringComparer.Ordinal).Select(result => ((string?)result.Key, result.Value)),
        { Result: { } only } => [(null, only)],
        _ => [],
    };

    private static bool IsProvenance(BlobDescriptor attestation) =>
        attestation.MediaType == MediaType && attestation.Annotations.TryGetValue(TypeAnnotation, out var type)
        && type.StartsWith(ProvenancePredicate.TypePrefix, StringComparison.Ordinal);
}
