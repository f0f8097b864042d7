using BuildKit.Protocol.Control;
using Google.Protobuf.WellKnownTypes;
using Pb = BuildKit.Protocol.Llb;

namespace BuildKit.Solve;

/// <summary>Turns the messages of <c>Control.Status</c> into <see cref="SolveEvent"/>s.</summary>
internal static class SolveEventReader
{
    public static SolveEvent Read(StatusResponse response) => new(
        Map(response.Vertexes, ReadVertex), Map(response.Statuses, ReadStatus), Map(response.Logs, ReadLog), Map(response.Warnings, ReadWarning));

    /// <summary>A source position; null where the daemon sent no text.</summary>
    public static SolveSource? ReadSource(Pb.SourceInfo? info, IEnumerable<Pb.Range> ranges) =>
        info is null ? null : new SolveSource(info.Filename, info.Data.ToStringUtf8(), ranges.Select(ReadRange).ToList())
        {
            Language = info.Language,
            Definition = info.Definition,
        };

    private static SolveSourceRange ReadRange(Pb.Range range) =>
        new(range.Start?.Line ?? 0, Math.Max(range.Start?.Line ?? 0, range.End?.Line ?? 0))
        {
            StartCharacter = range.Start?.Character ?? 0,
            EndCharacter = range.End?.Character ?? 0,
        };

    private static SolveVertex ReadVertex(Vertex vertex) => new(
        vertex.Digest, vertex.Inputs.Count == 0 ? [] : vertex.Inputs.ToList(), vertex.Name, Time(vertex.Started), Time(vertex.Completed), vertex.Cached, vertex.Error,
        vertex.ProgressGroup is { } group ? new SolveProgressGroup(group.Id, group.Name, group.Weak) : null);

    private static SolveVertexStatus ReadStatus(VertexStatus status) => new(
        status.ID, status.Vertex, status.Name, status.Current, status.Total, Time(status.Timestamp) ?? default, Time(status.Started), Time(status.Completed));

    private static SolveVertexLog ReadLog(VertexLog log) => new(log.Vertex, (int)log.Stream, log.Msg.Memory, Time(log.Timestamp) ?? default);

    private static SolveVertexWarning ReadWarning(VertexWarning warning) => new(
        warning.Vertex, (int)warning.Level, warning.Short.ToStringUtf8(), warning.Detail.Select(detail => detail.ToStringUtf8()).ToList(), warning.Url,
        ReadSource(warning.Info, warning.Ranges));

    private static DateTimeOffset? Time(Timestamp? timestamp) => timestamp?.ToDateTimeOffset();

    private static List<TOut> Map<TIn, TOut>(IReadOnlyCollection<TIn> items, Func<TIn, TOut> read) => items.Count == 0 ? [] : items.Select(read).ToList();
}
