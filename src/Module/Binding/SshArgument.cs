using System.Collections;
using System.Management.Automation;
using System.Text.RegularExpressions;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>
/// Reads <c>-Ssh</c>: strings as docker users write them (<c>default</c>, <c>ID=SOCKET</c>, <c>ID=KEY,KEY</c>), hashtables with an id and paths, hashtables of
/// ids and paths, and <see cref="SolveSsh"/>s (docker/buildx util/buildflags/ssh.go).
/// </summary>
internal static partial class SshArgument
{
    private const string DefaultId = "default";
    private const string Advice = "Write default for your own agent, 'ID=SOCKET', 'ID=KEY1,KEY2' or @{ id = 'ID'; path = 'KEY1', 'KEY2' }.";

    /// <summary>Reads all values.</summary>
    /// <param name="session">The session, against whose location paths are resolved.</param>
    /// <param name="values">What was bound.</param>
    /// <returns>The agents, in order.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidSsh</c>, or a path that is none of the file system.</exception>
    public static List<SolveSsh> Read(SessionState session, IEnumerable<object?> values)
    {
        var agents = new List<SolveSsh>();
        // Whether a path may follow, of an unquoted ID=KEY1,KEY2: PowerShell takes the comma for its own and passes two strings.
        var open = false;
        foreach (var value in values)
        {
            var item = PSValue.Unwrap(value);
            if (item is string text && open && !text.Contains('=', StringComparison.Ordinal) && text != DefaultId)
            {
                if (!LooksLikePath(text))
                    throw Invalid(
                        $"'{text}' may be an id, or one more key of '{agents[^1].Id}'. Quote the whole of 'ID=KEY1,KEY2', or write './{text}' for a key.", text);
                agents[^1] = Make(session, agents[^1].Id, [.. agents[^1].Paths, text]);
                continue;
            }
            open = item is string start && start.Contains('=', StringComparison.Ordinal);
            agents.AddRange(item switch
            {
                string spec => [FromText(session, spec)],
                SolveSsh agent => [Make(session, agent.Id, agent.Paths)],
                IDictionary table => FromTable(session, table),
                _ => throw Invalid($"'{item}' is no SSH agent.", item?.ToString()),
            });
        }
        return agents;
    }

    private static SolveSsh FromText(SessionState session, string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0)
            return Make(session, text[..equals], text[(equals + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries));
        // buildx takes it for an id of the user's own agent, which no step can have meant.
        return LooksLikePath(text) ? throw Invalid($"'{text}' looks like a path without an id.", text, $"Write '{DefaultId}={text}'.") : Make(session, text, []);
    }

    private static List<SolveSsh> FromTable(SessionState session, IDictionary table)
    {
        var entries = table.Cast<DictionaryEntry>().ToDictionary(
            static entry => entry.Key.ToString() ?? "", static entry => entry.Value, StringComparer.OrdinalIgnoreCase);
        if (!entries.Keys.Any(static key => key.ToUpperInvariant() is "ID" or "PATH" or "PATHS"))
            return entries.Select(entry => Make(session, entry.Key, PathsOf(entry.Value))).ToList();
        if (entries.Keys.FirstOrDefault(static key => key.ToUpperInvariant() is not ("ID" or "PATH" or "PATHS")) is { } unknown)
            throw Invalid($"The hashtable of an SSH agent has id and path, not '{unknown}'.", unknown);
        string[] paths = [.. PathsOf(entries.GetValueOrDefault("path")), .. PathsOf(entries.GetValueOrDefault("paths"))];
        return [Make(session, entries.GetValueOrDefault("id")?.ToString() ?? "", paths)];
    }

    private static IEnumerable<string> PathsOf(object? value) => PSValue.Unwrap(value) switch
    {
        null => [],
        string path => [path],
        IEnumerable paths => paths.Cast<object?>().Select(static path => path?.ToString() ?? ""),
        var other => [other.ToString() ?? ""],
    };

    private static SolveSsh Make(SessionState session, string id, IEnumerable<string> paths) => new()
    {
        Id = id.Length == 0 ? DefaultId : id,
        Paths = paths.Where(static path => path.Length > 0).Select(path => IsPipe(path) ? path : FileSystemPath.Resolve(session, path)).ToList(),
    };

    // PowerShell would take it for a share.
    private static bool IsPipe(string path) => OperatingSystem.IsWindows() && PipePath().IsMatch(path);

    private static bool LooksLikePath(string text) => text.StartsWith('.') || text.IndexOfAny(['/', '\\', '~']) >= 0;

    private static BuildKitException Invalid(string message, string? target, string advice = Advice) =>
        new("BuildKit.InvalidSsh", BuildKitErrorCategory.InvalidArgument, message, advice) { Target = target };

    [GeneratedRegex(@"^[\\/]{2}[^\\/]+[\\/]+pipe[\\/]", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PipePath();
}
