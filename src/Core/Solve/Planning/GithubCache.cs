namespace BuildKit.Solve.Planning;

/// <summary>What the GitHub Actions runner tells of its cache service (docker/buildx build/opt.go, actions/toolkit packages/cache).</summary>
internal static class GithubCache
{
    /// <summary>Adds the token and the addresses unless they were given.</summary>
    /// <returns>False outside of GitHub Actions, where there is no such service.</returns>
    public static bool Complete(Dictionary<string, string> attributes, Func<string, string?> variable)
    {
        var version = attributes.GetValueOrDefault("version") ?? (GoBoolean.Parse(variable("ACTIONS_CACHE_SERVICE_V2")) == true ? "2" : null);
        Add("token", variable("ACTIONS_RUNTIME_TOKEN"));
        if (version == "2")
            Add("url_v2", variable("ACTIONS_RESULTS_URL"));
        Add("url", variable("ACTIONS_CACHE_URL") ?? variable("ACTIONS_RESULTS_URL"));
        return Has("token") && (Has("url") || Has("url_v2"));

        void Add(string name, string? value)
        {
            if (value is not null)
                attributes.TryAdd(name, value);
        }

        bool Has(string name) => attributes.TryGetValue(name, out var value) && value.Length > 0;
    }
}
