using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Builders.Store;

/// <summary>Reads buildx's store. Its files are replaced as a whole, so that reading needs no lock; only what is read to be written back does.</summary>
/// <param name="directory">The folder; where there is none, it has no builders.</param>
internal class BuilderStoreReader(string directory)
{
    protected const string Instances = "instances";
    protected const string Defaults = "defaults";
    protected const string Activity = "activity";
    protected const string CurrentFile = "current";

    protected string Directory { get; } = directory;

    /// <summary>The names of all builders, sorted.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderStoreUnreadable</c>.</exception>
    public IReadOnlyList<string> ListNames() => IfThere(() => System.IO.Directory.GetFiles(Path.Combine(Directory, Instances)))?
        .Select(path => Path.GetFileName(path)).Where(BuilderName.IsValid).Order(StringComparer.Ordinal).ToList() ?? [];

    /// <summary>The builder of that name, whatever its case; null where there is none.</summary>
    public BuildKitBuilder? Find(string name) =>
        BuilderName.IsValid(name) && ReadJson(InstancePath(name)) is { } json && BuilderJson.Read(json, InstancePath(name)) is var builder
            ? builder with { LastActivity = LastActivity(builder.Name) }
            : null;

    /// <summary>The builder that is in use, or null for the docker context's own.</summary>
    /// <param name="endpoint">The docker context in use, or for «default» the Engine's address: a builder is in use for one of them, or for all.</param>
    public BuildKitBuilder? Current(string endpoint)
    {
        if (ReadJson(Path.Combine(Directory, CurrentFile)) is { } json && Text(json, "Name") is { Length: > 0 } name)
        {
            if (json["Global"]?.GetValueKind() == JsonValueKind.True && Find(name) is { } global)
                return global;
            if (Text(json, "Key") == endpoint)
                return Find(name);
        }
        return IfThere(() => File.ReadAllText(Path.Combine(Directory, Defaults, Hash(endpoint)))) is { Length: > 0 } byDefault ? Find(byDefault) : null;
    }

    protected string InstancePath(string name) => Path.Combine(Directory, Instances, BuilderName.Normalize(name));

    /// <summary>When a builder, or the docker context of that name, was last used; null for never, and where it can't be read: nothing depends on it.</summary>
    /// <param name="name">Its name as it is written: buildx names the file by it.</param>
    public DateTimeOffset? LastActivity(string name)
    {
        try
        {
            return BuilderName.IsValid(name) && IfThere(() => File.ReadAllText(Path.Combine(Directory, Activity, name))) is { } text && DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
        }
        catch (BuildKitException e) when (e.ErrorId == BuilderStore.UnreadableId)
        {
            return null;
        }
    }

    protected JsonObject? ReadJson(string path)
    {
        if (IfThere(() => File.ReadAllBytes(path)) is not { } bytes)
            return null;
        try
        {
            var json = JsonNode.Parse(bytes)!.AsObject();
            _ = json.Count; // a member that is there twice is found out no sooner
            return json;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or ArgumentException)
        {
            throw BuilderJson.Invalid(path, e);
        }
    }

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    protected static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key))).ToLowerInvariant()[..20];

    protected T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BuilderStore.Unreadable(Directory, e);
        }
    }
    /// <summary>Reads what need not be there. Only reading tells that: to ask beforehand takes what may not be read for absent.</summary>
    private T? IfThere<T>(Func<T> read)
        where T : class => Guard(() =>
        {
            try
            {
                return read();
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        });
}
