using System.Management.Automation;
using BuildKit.Oci;

namespace BuildKit.Module.Binding;

/// <summary>Reads a place with images: a reference, or a path relative to the session's location.</summary>
internal static class OciLocationArgument
{
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidTag</c> or <c>BuildKit.InvalidPath</c>.</exception>
    public static OciLocation Read(SessionState session, string text) => OciLocation.Parse(text, path => FileSystemPath.Resolve(session, path));
}
