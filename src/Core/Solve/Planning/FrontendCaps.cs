namespace BuildKit.Solve.Planning;

/// <summary>What a frontend must be able to do. One that can't says so, instead of passing over an option that it does not know (moby/buildkit frontend/dockerfile/builder/caps.go).</summary>
internal static class FrontendCaps
{
    public const string Contexts = "moby.buildkit.frontend.contexts+forward";
    public const string GitQuery = "moby.buildkit.frontend.gitquerystring";

    private const string Attribute = "frontend.caps";

    public static void Add(SolvePlan plan, string capability)
    {
        var present = plan.FrontendAttributes.GetValueOrDefault(Attribute)?.Split(',') ?? [];
        plan.FrontendAttributes[Attribute] = string.Join(',', present.Append(capability).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>Adds what a context's address needs: a git repository may be followed by a query, <c>?tag=v1&amp;subdir=docker</c>.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="address">The context.</param>
    /// <param name="isNamed">Whether it is a named one, which an image of a frontend may read in place of the daemon's own.</param>
    public static void AddForGit(SolvePlan plan, string address, bool isNamed)
    {
        var withoutFragment = address.Split('#')[0];
        var query = withoutFragment.IndexOf('?', StringComparison.Ordinal);
        if (query < 0 || query == withoutFragment.Length - 1)
            return;
        // Of a web address only one that ends in .git is a repository; another's query is its own business.
        if (address.StartsWith("http", StringComparison.OrdinalIgnoreCase) && !withoutFragment[..query].EndsWith(".git", StringComparison.Ordinal))
            return;
        Add(plan, isNamed ? $"{GitQuery}+forward" : GitQuery);
    }
}
