using System.Text;
using BuildKit.Files;
using BuildKit.Session.Upload;
using BuildKit.Transport;

namespace BuildKit.Solve.Planning;

/// <summary>A context that comes as a stream (<c>docker buildx build -</c>): an archive that the daemon unpacks, or a Dockerfile that needs no context.</summary>
internal static class ContextArchives
{
    // What buildx allows a Dockerfile that it fetches (build/url.go).
    private const int LongestDockerfile = 2 * 1024 * 1024;

    /// <summary>Looks at the stream, and offers it to the daemon where it is an archive.</summary>
    /// <returns>The request without the stream: with the address of the archive as context, or with the text as Dockerfile.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidContextArchive</c>, <c>BuildKit.ContextUnreadable</c>.</exception>
    public static async Task<SolveRequest> AddToAsync(SolvePlan plan, SolveRequest request, Stream archive, CancellationToken cancellationToken)
    {
        if (request.Context is not null)
            throw Invalid($"There are two contexts: an archive and '{request.Context}'.", "Give one of them.");
        var head = new byte[ArchiveHeader.Length];
        var length = await ReadAsync(archive, head, cancellationToken).ConfigureAwait(false);
        var kind = ArchiveHeader.Detect(head.AsSpan(0, length));
        switch (kind)
        {
            case ArchiveKind.Tar or ArchiveKind.ExtendedTar or ArchiveKind.Compressed:
                var upload = new UploadService();
                plan.Services.Add(upload);
                ReadOnlyMemory<byte> start = kind == ArchiveKind.ExtendedTar ? (byte[])[.. ArchiveHeader.GlobalHeader.Span, .. head.AsSpan(0, length)] : head.AsMemory(0, length);
                return request with { Context = upload.Add(new PrefixedStream(start, archive)), ContextArchive = null };
            case ArchiveKind.Text when request.Dockerfile is null && request.DockerfileText is null:
                var text = await ReadTextAsync(new PrefixedStream(head.AsMemory(0, length), archive), cancellationToken).ConfigureAwait(false);
                return request with { DockerfileText = text, ContextArchive = null };
            case ArchiveKind.Empty:
                throw Invalid("The context is an empty stream.", "Give a tar archive, plain or compressed with gzip, bzip2 or xz, or the text of a Dockerfile.");
            default:
                throw Invalid(
                    kind == ArchiveKind.Text
                        ? "The context is text: a Dockerfile, and another one was given."
                        : "The context is no archive that a daemon unpacks.",
                    "Give a tar archive with at least one file, plain or compressed with gzip, bzip2 or xz.");
        }
    }

    /// <summary>Reads from such a stream.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.ContextUnreadable</c>.</exception>
    public static async Task GuardAsync(Func<Task> read)
    {
        try
        {
            await read().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ObjectDisposedException)
        {
            throw new BuildKitException(
                "BuildKit.ContextUnreadable", BuildKitErrorCategory.InputOutput, $"The archive that stands for the context can't be read: {e.Message}",
                "Check where it comes from, and build again.", e);
        }
    }

    private static async Task<int> ReadAsync(Stream archive, byte[] head, CancellationToken cancellationToken)
    {
        var length = 0;
        await GuardAsync(async () => length = await archive.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false))
            .ConfigureAwait(false);
        return length;
    }

    private static async Task<string> ReadTextAsync(Stream stream, CancellationToken cancellationToken)
    {
        var bytes = new byte[LongestDockerfile + 1];
        var length = await ReadAsync(stream, bytes, cancellationToken).ConfigureAwait(false);
        return length <= LongestDockerfile
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw Invalid($"The context is text, and for a Dockerfile it is too long: more than {LongestDockerfile} bytes.", "Give a tar archive.");
    }

    private static BuildKitException Invalid(string message, string action) =>
        new("BuildKit.InvalidContextArchive", BuildKitErrorCategory.InvalidArgument, message, action);
}
