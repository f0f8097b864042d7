namespace BuildKit.Oci;

/// <summary>What an image runs on (OCI image-spec, image-index.md).</summary>
/// <param name="OS">Such as <c>linux</c>.</param>
/// <param name="Architecture">Go's name, such as <c>arm64</c>.</param>
/// <param name="Variant">Such as <c>v7</c>; null where there is none.</param>
/// <param name="OSVersion">The version of a Windows; null where there is none.</param>
public sealed record OciPlatform(string OS, string Architecture, string? Variant = null, string? OSVersion = null)
{
    /// <summary>What BuildKit gives to manifests that no machine runs: attestations.</summary>
    public static OciPlatform Unknown { get; } = new("unknown", "unknown");

    /// <summary><c>OS/ARCHITECTURE[/VARIANT]</c>, as <c>docker build --platform</c> takes it.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Variant is null ? $"{OS}/{Architecture}" : $"{OS}/{Architecture}/{Variant}";

    /// <exception cref="FormatException">It is none.</exception>
    internal static OciPlatform? Read(in OciMember member)
    {
        if (member.IsNull)
            return null;
        string os = "", architecture = "";
        string? variant = null, version = null;
        foreach (var field in OciJson.Members(member.Value))
        {
            switch (field.Name)
            {
                case "os": os = field.Text() ?? ""; break;
                case "architecture": architecture = field.Text() ?? ""; break;
                case "variant": variant = field.Text() is { Length: > 0 } text ? text : null; break;
                case "os.version": version = field.Text() is { Length: > 0 } number ? number : null; break;
                default: break;
            }
        }
        return new OciPlatform(os, architecture, variant, version);
    }
}
