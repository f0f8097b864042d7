using BuildKit.Builders;

namespace BuildKit.Oci.Copying;

/// <summary>An image of a Docker Engine: what <c>docker save</c> would write, kept in a temporary file as long as this is.</summary>
internal sealed class EngineContentSource : OciContentSource
{
    private readonly OciLayoutSource _archive;
    private readonly string _path;

    private EngineContentSource(OciLayoutSource archive, string path, string location)
    {
        _archive = archive;
        _path = path;
        Location = location;
    }

    public override string Location { get; }

    /// <exception cref="BuildKitException"><c>BuildKit.ImageNotFound</c>, or the connection broke.</exception>
    public static async Task<OciContentSource> OpenAsync(BuildKitConnection engine, OciAddress address, CancellationToken cancellationToken)
    {
        var path = OciFile.Beside(Path.Combine(Path.GetTempPath(), "buildkit-image"));
        try
        {
            var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 });
            await using (file.ConfigureAwait(false))
                await engine.Engine!.Images.SaveImageAsync(address.Reference!, file, cancellationToken).ConfigureAwait(false);
            return new EngineContentSource(await DockerArchiveSource.OpenAnyAsync(path, cancellationToken).ConfigureAwait(false), path, address.ToString());
        }
        catch
        {
            OciFile.TryDelete(path);
            throw;
        }
    }

    public override Task<OciIndex> ReadIndexAsync(CancellationToken cancellationToken) => _archive.ReadIndexAsync(cancellationToken);

    public override Task<long?> FindBlobAsync(OciDigest digest, CancellationToken cancellationToken) => _archive.FindBlobAsync(digest, cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await _archive.DisposeAsync().ConfigureAwait(false);
        OciFile.TryDelete(_path);
    }

    protected override Task<Stream> OpenContentAsync(OciDescriptor blob, CancellationToken cancellationToken) => Task.FromResult(_archive.OpenContent(blob));
}
