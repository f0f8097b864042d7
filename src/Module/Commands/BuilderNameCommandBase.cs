using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Progress;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that does something with builders, which it finds by their names.</summary>
public abstract class BuilderNameCommandBase : BuildKitCommandBase
{
    /// <summary>The builders of this user.</summary>
    private protected BuilderManager Builders { get; } = new();

    /// <summary>Finds the builders that are meant. A name that means none is an error record, a pattern that matches none is nothing.</summary>
    /// <param name="names">Names and patterns; null for the builder that is used where none is named.</param>
    /// <param name="isMeant">Which of the builders that match a pattern are meant.</param>
    /// <returns>The builders, each once.</returns>
    private protected IReadOnlyList<BuildKitBuilder> Find(IEnumerable<string>? names, Func<BuildKitBuilder, bool> isMeant)
    {
        var found = new List<BuildKitBuilder>();
        foreach (var name in names ?? [null!])
        {
            Report(name, async (_, cancellationToken) =>
            {
                if (name is null || !WildcardPattern.ContainsWildcardCharacters(name))
                    return [await Builders.GetAsync(name, cancellationToken).ConfigureAwait(false)];
                var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
                return (await Builders.ListAsync(cancellationToken).ConfigureAwait(false)).Where(builder => pattern.IsMatch(builder.Name) && isMeant(builder)).ToArray();
            }, found.AddRange);
        }
        return found.DistinctBy(builder => builder.Name).ToList();
    }

    /// <summary>Takes back what was chosen in this session: what is chosen for the user holds in it too.</summary>
    private protected static void EndSessionChoice() => EndpointResolver.SessionBuilder = null;

    /// <summary>Warns where a setting wins over what was chosen for the user.</summary>
    /// <param name="name">What was chosen.</param>
    private protected void WarnOfOverride(string name) => Report(name, (_, cancellationToken) => new EndpointResolver().FindChoiceAsync(cancellationToken), choice =>
    {
        if (choice.OverridesStore && !choice.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            WriteWarning($"'{name}' is not used here, because {choice.Source} names '{choice.Name}'. Remove the variable, or use the builder in this session (-Scope Session).");
    });

    /// <summary>Asks builders how they are, all at once.</summary>
    private protected static Task<BuildKitBuilder[]> InspectAsync(IEnumerable<BuildKitBuilder> builders, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var manager = new BuilderManager { StatusTimeout = timeout };
        return Task.WhenAll(builders.Select(builder => manager.InspectAsync(builder, cancellationToken)));
    }

    /// <summary>Starts a builder, with bars for its nodes, and asks how it is then.</summary>
    private protected async Task<BuildKitBuilder> StartAsync(BuildKitBuilder builder, PipelinePump pump, CancellationToken cancellationToken)
    {
        using var bars = new BootBars(WriteProgress, pump.Post);
        await Builders.StartAsync(builder, bars.For, cancellationToken).ConfigureAwait(false);
        return await Builders.InspectAsync(builder, cancellationToken).ConfigureAwait(false);
    }
}
