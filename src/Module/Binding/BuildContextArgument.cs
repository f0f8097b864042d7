using System.Collections;
using System.Management.Automation;
using BuildKit.Oci;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads <c>-BuildContext</c>: contexts by name.</summary>
internal static class BuildContextArgument
{
    // What names no file on this side.
    private static readonly string[] OtherSchemes = ["docker-image://", "target:"];

    /// <summary>Makes the paths of a table absolute. A folder of that name wins over a URL, as for <c>-Context</c>.</summary>
    /// <param name="session">The session.</param>
    /// <param name="table">Contexts by name: texts, or folders.</param>
    /// <returns>The contexts as the library takes them.</returns>
    /// <exception cref="BuildKitException">A path is none of the file system.</exception>
    public static Dictionary<string, string> Read(SessionState session, IDictionary table) =>
        StringTable.Read(table).ToDictionary(context => context.Key, context => Resolve(session, context.Value));

    private static string Resolve(SessionState session, string value)
    {
        if (Array.Exists(OtherSchemes, scheme => value.StartsWith(scheme, StringComparison.Ordinal)))
            return value;
        if (value.StartsWith(OciLayoutReference.Scheme, StringComparison.Ordinal))
        {
            var reference = OciLayoutReference.Parse(value);
            return (reference with { Path = FileSystemPath.Resolve(session, reference.Path) }).ToString();
        }
        return ContextArgument.IsRemote(session, value) ? value : FileSystemPath.Resolve(session, value);
    }
}
