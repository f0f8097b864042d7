using System.Text.Json;
using BuildKit.Grpc;
using BuildKit.Protocol.Rpc;
using Google.Protobuf;

namespace BuildKit.Solve;

/// <summary>
/// What <c>grpc-status-details-bin</c> tells of a failed solve. It is a google.rpc.Status whose details are JSON, not protobuf
/// (containerd typeurl; moby/buildkit solver/errdefs and util/grpcerrors).
/// </summary>
/// <param name="Vertex">The digest of the vertex that failed, or null.</param>
/// <param name="ExitCode">The exit code of its process, or null.</param>
/// <param name="Source">The lines of the Dockerfile it came from, or null.</param>
internal sealed record SolveErrorDetails(string? Vertex, int? ExitCode, SolveSource? Source)
{
    private const string DetailsHeader = "grpc-status-details-bin";

    public static SolveErrorDetails None { get; } = new(null, null, null);

    /// <summary>Reads what there is; a detail of an unknown type or shape is passed over, because it must not hide the error itself.</summary>
    public static SolveErrorDetails Read(RpcException error)
    {
        var bytes = error.Trailers.GetValueBytes(DetailsHeader);
        if (bytes is null)
            return None;
        var details = None;
        try
        {
            foreach (var any in Protocol.Rpc.Status.Parser.ParseFrom(bytes).Details)
                details = details.With(any.TypeUrl, any.Value);
        }
        catch (InvalidProtocolBufferException)
        {
        }
        return details;
    }

    private SolveErrorDetails With(string typeUrl, ByteString value)
    {
        var name = typeUrl[(typeUrl.LastIndexOf('/') + 1)..];
        if (!name.EndsWith("+json", StringComparison.Ordinal))
            return this;
        try
        {
            using var json = JsonDocument.Parse(value.Memory);
            var root = json.RootElement;
            return name switch
            {
                "errdefs.Vertex+json" when root.TryGetProperty("digest", out var digest) => this with { Vertex = digest.GetString() },
                // The first is the innermost: the step itself, not the frontend call around it.
                "errdefs.Source+json" when Source is null => this with { Source = ReadSource(root) },
                "gatewayapi.ExitMessage+json" when root.TryGetProperty("Code", out var code) => this with { ExitCode = code.GetInt32() },
                _ => this,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return this;
        }
    }

    private static SolveSource? ReadSource(JsonElement root)
    {
        if (!root.TryGetProperty("info", out var info) || !info.TryGetProperty("data", out var data))
            return null;
        var ranges = new List<SolveSourceRange>();
        if (root.TryGetProperty("ranges", out var items))
            foreach (var item in items.EnumerateArray())
            {
                var start = Line(item, "start");
                ranges.Add(new SolveSourceRange(start, Math.Max(start, Line(item, "end"))));
            }
        var fileName = info.TryGetProperty("filename", out var name) ? name.GetString() : null;
        return new SolveSource(fileName ?? "Dockerfile", System.Text.Encoding.UTF8.GetString(data.GetBytesFromBase64()), ranges);
    }

    private static int Line(JsonElement range, string end) =>
        range.TryGetProperty(end, out var position) && position.TryGetProperty("line", out var line) ? line.GetInt32() : 0;
}
