namespace BuildKit.Builders.Store;

/// <summary>The file in which buildx keeps when a builder was last used for a build.</summary>
/// <param name="directory">The store's folder.</param>
/// <param name="name">The builder's name.</param>
internal sealed class BuilderActivity(string directory, string name)
{
    /// <summary>Writes down that it is used. A build does not fail for it: a store that can't be written, or does not exist, stays as it is.</summary>
    public void Record()
    {
        try
        {
            if (Directory.Exists(Path.Combine(directory, BuilderStoreTransaction.ActivityFolder)))
                StoreFile.Write(directory, Path.Combine(BuilderStoreTransaction.ActivityFolder, name), StoreFile.Time(DateTimeOffset.UtcNow), flush: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A store on a read-only volume.
        }
    }
}
