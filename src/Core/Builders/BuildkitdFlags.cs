using System.Text;
using BuildKit.Builders.Drivers;

namespace BuildKit.Builders;

/// <summary>The arguments of a node's buildkitd (docker/buildx builder, parseBuildkitdFlags).</summary>
internal static class BuildkitdFlags
{
    private const string Entitlement = "--allow-insecure-entitlement";
    private const string NetworkHost = "network.host";

    /// <summary>Takes texts apart as a shell does: at spaces that are neither in quotes nor behind a backslash.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidBuildkitdFlag</c>: a quote is not closed.</exception>
    public static IReadOnlyList<string> Split(IEnumerable<string> texts) => texts.SelectMany(Split).ToList();

    /// <summary>
    /// The flags with buildx's own: a builder in a container has a network of its own, so that builds may use the host's, which is the container's, unless the flags or the
    /// configuration say which entitlements there are. With <c>network=host</c> it is allowed in any case.
    /// </summary>
    /// <param name="flags">What was asked for.</param>
    /// <param name="driverOptions">The options of the driver <c>docker-container</c>.</param>
    /// <param name="config">The text of <c>buildkitd.toml</c>, or null.</param>
    public static IReadOnlyList<string> WithDefaults(IReadOnlyList<string> flags, IReadOnlyDictionary<string, string> driverOptions, string? config)
    {
        var entitlements = flags.Select((flag, index) => flag.StartsWith(Entitlement + "=", StringComparison.Ordinal) ? flag[(Entitlement.Length + 1)..]
            : flag == Entitlement ? flags.ElementAtOrDefault(index + 1) : null).OfType<string>().ToList();
        var isNeeded = driverOptions.GetValueOrDefault("network") == "host"
            ? !entitlements.Contains(NetworkHost)
            : entitlements.Count == 0 && !(config is not null && IsAllowedBy(config));
        return isNeeded ? flags.Append($"{Entitlement}={NetworkHost}").ToList() : flags;
    }

    private static bool IsAllowedBy(string config) => TomlStrings.Find(config).Any(text => text.Path is ["insecure-entitlements", ..] && text.Value == NetworkHost);

    private static List<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isOpen = false;
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && quote != '\'' && i + 1 < text.Length && (quote == '\0' || text[i + 1] is '"' or '\\'))
            {
                word.Append(text[++i]);
                isOpen = true;
            }
            else if (quote == '\0' ? c is '\'' or '"' : c == quote)
            {
                quote = quote == '\0' ? c : '\0';
                isOpen = true;
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (isOpen)
                    words.Add(word.ToString());
                word.Clear();
                isOpen = false;
            }
            else
            {
                word.Append(c);
                isOpen = true;
            }
        }
        if (quote != '\0')
        {
            throw new BuildKitException(
                "BuildKit.InvalidBuildkitdFlag", BuildKitErrorCategory.InvalidArgument, $"In the flags of buildkitd '{text}' a quote is not closed.",
                "Write them as in a shell, such as --debug --allow-insecure-entitlement=security.insecure.")
            { Target = text };
        }
        if (isOpen)
            words.Add(word.ToString());
        return words;
    }
}
