namespace BuildKit.Registry;

/// <summary>A request to a registry, which may be made more than once.</summary>
/// <param name="Method">The method.</param>
/// <param name="Target">A path on the registry, <c>/v2/…</c>, or a whole URL that the registry gave.</param>
/// <param name="Scopes">What it needs to be allowed (<see cref="RegistryScope"/>).</param>
/// <param name="What">What it is about, as errors name it: <c>the manifest '1.0' of 'app'</c>.</param>
internal sealed record RegistryRequest(HttpMethod Method, string Target, IReadOnlyList<string> Scopes, string What)
{
    /// <summary>The media types to accept; empty for any.</summary>
    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>The first byte that is wanted of the answer, where it is not the first there is.</summary>
    public long Offset { get; init; }

    /// <summary>Makes the body; called for every attempt. What it gets is to be called whenever the registry has taken some of the body: it waits longer then.</summary>
    public Func<Action, HttpContent>? Content { get; init; }

    /// <summary>Whether it is made again where a failure may go away by itself. A request with a long body is not: who sends that knows better how to go on.</summary>
    public bool CanRepeat { get; init; } = true;
}
