using System.Net.Sockets;
using BuildKit.Builders;

namespace BuildKit.Oci.Copying;

/// <summary>An image of a Docker Engine: what <c>docker save</c> would write, kept in a temporary file without a name as long as this is.</summary>
internal sealed class EngineContentSource : OciContentSource
{
    private readonly OciLayoutSource _archive;

    private EngineContentSource(OciLayoutSource archive) => _archive = archive;

    public override string Location => _archive.Location;

    /// <exception cref="BuildKitException"><c>BuildKit.ImageNotFound</c>, <c>BuildKit.TemporaryFileUnwritable</c>, or the connection broke.</exception>
    public static async Task<OciContentSource> OpenAsync(BuildKitConnection engine, OciAddress address, CancellationToken cancellationToken)
    {
        var file = OciFile.CreateNameless();
        try
        {
            await engine.Engine!.Images.SaveImageAsync(address.Reference!, file, cancellationToken).ConfigureAwait(false);
            var archive = await OciContentSources.OpenFileAsync(address.ToString(), file.SafeFileHandle, cancellationToken).ConfigureAwait(false);
            return new EngineContentSource(await DockerArchiveSource.OpenAnyAsync(archive, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            await file.DisposeAsync().ConfigureAwait(false);
            // What the network does to the answer has a socket's error within.
            if (e is IOException and not HttpIOException && e.InnerException is not SocketException)
                throw OciErrors.Temporary(e);
            throw;
        }
    }

    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken) => _archive.ReadIndexAsync(cancellationToken);

    public override Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken) => _archive.FindBlobAsync(digest, cancellationToken);

    public override ValueTask DisposeAsync() => _archive.DisposeAsync();

    protected override Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken) => Task.FromResult(_archive.OpenContent(blob));
}
