using System.Management.Automation;
using BuildKit.Oci;
using BuildKit.Oci.Copying;
using BuildKit.Oci.Images;

namespace BuildKit.Module.Binding;

/// <summary>Reads where images are: an address, its paths relative to the session's location.</summary>
internal static class OciAddressArgument
{
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAddress</c>, <c>BuildKit.InvalidTag</c> or <c>BuildKit.InvalidPath</c>.</exception>
    public static OciAddress Read(SessionState session, string text) => OciAddress.Parse(text, path => FileSystemPath.Resolve(session, path));

    /// <summary>The same of an object that stands for an image, an entry of an index, or a file.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidAddress</c>, <c>BuildKit.InvalidTag</c> or <c>BuildKit.InvalidPath</c>.</exception>
    public static OciAddress Read(SessionState session, object value) => PSValue.Unwrap(value) switch
    {
        OciImage image => Read(session, image.Reference),
        OciIndexEntry entry => Read(session, entry.Reference),
        FileSystemInfo file => OciAddress.AtPath(file.FullName),
        var other => Read(session, other?.ToString() ?? string.Empty),
    };
}
