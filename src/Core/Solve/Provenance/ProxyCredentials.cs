using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace BuildKit.Solve.Provenance;

/// <summary>
/// The daemon records the proxies that a build was given among its arguments, with user and password where the docker config has them. Neither belongs in a result that is
/// shown, stored and sent on.
/// </summary>
internal static partial class ProxyCredentials
{
    /// <summary>Takes user and password out of the addresses of proxies.</summary>
    /// <param name="node">What the daemon recorded; it is changed.</param>
    /// <returns>Whether there were any.</returns>
    public static bool Remove(JsonNode? node) => node switch
    {
        JsonArray array => array.Aggregate(false, (any, item) => Remove(item) | any),
        JsonObject json => json.ToList().Aggregate(false, (any, member) => RemoveFrom(json, member.Key, member.Value) | any),
        _ => false,
    };

    private static bool RemoveFrom(JsonObject json, string name, JsonNode? value)
    {
        if (!Proxy().IsMatch(name) || value is not JsonValue text || !text.TryGetValue<string>(out var address))
            return Remove(value);
        var without = UserInfo().Replace(address, "$1");
        if (without == address)
            return false;
        json[name] = without;
        return true;
    }

    // Among the arguments, and in the definition's proxy_env.
    [GeneratedRegex("^(build-arg:)?(http|https|ftp|all)_proxy$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Proxy();

    // To the last @: a password may hold one.
    [GeneratedRegex("^([^:/@]*://)?.*@")]
    private static partial Regex UserInfo();
}
