using System.Text;
using BuildKit.Grpc;
using BuildKit.Session.FileSync.Patterns;
using BuildKit.Session.FileSync.Walk;

namespace BuildKit.Session.FileSync;

/// <summary>Gives the daemon the files of local sources (<c>moby.filesync.v1.FileSync</c>, buildkit <c>fsSyncProvider</c>).</summary>
internal sealed class FileSyncService
{
    private readonly Dictionary<string, FileSyncSource> _sources = new(StringComparer.Ordinal);
    private BuildContextException? _failure;

    /// <param name="sources">What the daemon may ask for; of two with one name, an <see cref="ArgumentException"/>.</param>
    public FileSyncService(IEnumerable<FileSyncSource> sources)
    {
        foreach (var source in sources)
            if (!_sources.TryAdd(source.Name, source))
                throw new ArgumentException($"There are two sources '{source.Name}'.", nameof(sources));
        Definition = new ServerServiceDefinition().AddMethod(
            new Method<ReceiverPacket, SenderPacket>(
                MethodType.DuplexStreaming, "moby.filesync.v1.FileSync", "DiffCopy", PacketMarshallers.Receiver, PacketMarshallers.Sender),
            DiffCopyAsync);
    }

    public ServerServiceDefinition Definition { get; }

    /// <summary>
    /// The first error on this side, or null. The daemon ends a build that met one with the same text in its own error; this is the better one to show.
    /// </summary>
    public BuildContextException? Failure => Volatile.Read(ref _failure);

    private async Task DiffCopyAsync(
        IAsyncStreamReader<ReceiverPacket> requestStream, IServerStreamWriter<SenderPacket> responseStream, ServerCallContext context)
    {
        var request = FileSyncRequest.Read(context.RequestHeaders);
        if (!_sources.TryGetValue(request.DirName, out var source))
            throw new RpcException(new Status(StatusCode.NotFound, NoAccess(request.DirName)));
        try
        {
            var tree = source.Open();
            var filter = CreateFilter(source, tree, request);
            await FileSyncSender.SendAsync(source, tree, filter, requestStream, responseStream, context.CancellationToken).ConfigureAwait(false);
        }
        catch (BuildContextException e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            throw new RpcException(new Status(StatusCode.Unknown, e.Message), innerException: e);
        }
        catch (BadPatternException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message), innerException: e);
        }
    }

    private static FileFilter CreateFilter(FileSyncSource source, FileTree tree, FileSyncRequest request)
    {
        try
        {
            return FileFilter.Create(
                tree, request.IncludePatterns, [.. request.ExcludePatterns, .. source.ExcludePatterns.Select(Encoding.UTF8.GetBytes)], request.FollowPaths);
        }
        catch (FileTreeException e)
        {
            throw BuildContextException.Unreadable(e);
        }
    }

    private string NoAccess(string name)
    {
        var names = string.Join(", ", _sources.Keys.Select(key => $"\"{key}\""));
        return $"no access allowed to dir \"{name}\": this client offers {(names.Length == 0 ? "none" : names)}";
    }
}
