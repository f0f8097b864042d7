using System.Text.Json.Nodes;

namespace BuildKit.Builders.Store;

/// <summary>Reads and writes of the locked store.</summary>
internal sealed class BuilderStoreTransaction(string directory, StoreLock storeLock) : BuilderStoreReader(directory), IDisposable
{
    public const string ActivityFolder = Activity;

    public static IReadOnlyList<string> Folders { get; } = [Instances, Defaults, Activity];

    /// <summary>Adds a builder, or replaces the one of its name; what else buildx keeps in its file stays.</summary>
    public void Save(BuildKitBuilder builder)
    {
        var name = BuilderName.Normalize(builder.Name);
        var json = BuilderJson.Write(builder with { Name = name }, ReadJson(InstancePath(name)));
        Guard(() =>
        {
            Write(Path.Combine(Activity, name), StoreFile.Time(DateTimeOffset.UtcNow));
            Write(Path.Combine(Instances, name), json.ToJsonString(BuilderJson.Format));
            return true;
        });
    }

    /// <summary>Removes a builder and what is remembered of its builds.</summary>
    public void Remove(string name) => Guard(() =>
    {
        var normal = BuilderName.Normalize(name);
        File.Delete(Path.Combine(Directory, Activity, normal));
        RemoveRefs(normal);
        File.Delete(InstancePath(normal));
        return true;
    });

    /// <summary>Removes what is remembered of a node's builds.</summary>
    public void RemoveNodeRefs(string name, string node) => Guard(() =>
    {
        RemoveRefs(Path.Combine(BuilderName.Normalize(name), BuilderName.Normalize(node)));
        return true;
    });

    /// <summary>Makes a builder the one in use; an empty name is the docker context's own.</summary>
    /// <param name="endpoint">See <see cref="BuilderStoreReader.Current"/>.</param>
    /// <param name="name">The builder's name.</param>
    /// <param name="global">Whether for every docker context.</param>
    /// <param name="isDefault">Whether it stays the one for this docker context when another is used for a while.</param>
    public void SetCurrent(string endpoint, string name, bool global, bool isDefault) => Guard(() =>
    {
        Write(CurrentFile, new JsonObject { ["Key"] = endpoint, ["Name"] = name, ["Global"] = global }.ToJsonString(BuilderJson.Format));
        var chosen = Path.Combine(Defaults, Hash(endpoint));
        if (isDefault)
            Write(chosen, name);
        else
            File.Delete(Path.Combine(Directory, chosen));
        return true;
    });

    public void Dispose() => storeLock.Dispose();

    private void RemoveRefs(string path)
    {
        var refs = Path.Combine(Directory, "refs", path);
        if (System.IO.Directory.Exists(refs))
            System.IO.Directory.Delete(refs, recursive: true);
    }

    private void Write(string name, string text) => StoreFile.Write(Directory, name, text);
}
