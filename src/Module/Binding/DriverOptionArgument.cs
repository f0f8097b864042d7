using System.Collections;
using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Reads the options of a builder's driver: hashtables, and texts as docker users write them, <c>network=host,memory=2g</c>.</summary>
internal static class DriverOptionArgument
{
    // Certificates of the driver «remote», docker/buildx driver/remote.
    private static readonly string[] Paths = ["cacert", "cert", "key"];

    /// <summary>Reads them. Paths become absolute by the session's rules, because a builder is used from everywhere.</summary>
    /// <param name="session">The session.</param>
    /// <param name="options">What was bound.</param>
    /// <returns>The options; the last one of a name counts.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidDriverOption</c>, <c>BuildKit.InvalidOption</c>, <c>BuildKit.InvalidPath</c>.</exception>
    public static Dictionary<string, string> Read(SessionState session, IEnumerable<object?> options)
    {
        var pairs = new Dictionary<string, string>();
        foreach (var option in options)
        {
            var item = PSValue.Unwrap(option);
            var table = item as IDictionary;
            foreach (var (name, value) in table is not null ? StringTable.Read(table) : SpecPieces.ToPairs(CsvFields.Split(item?.ToString() ?? string.Empty), Invalid))
                pairs[name] = Paths.Contains(name) && value.Length > 0 ? FileSystemPath.Resolve(session, value) : value;
        }
        return pairs;
    }

    private static BuildKitException Invalid(string field) => new(
        "BuildKit.InvalidDriverOption", BuildKitErrorCategory.InvalidArgument, $"'{field}' is no option of a driver.", "Write name=value, or give a hashtable: @{ network = 'host' }.")
    { Target = field };
}
