namespace BuildKit.Solve;

/// <summary>A place for cached results, as <c>docker buildx build --cache-from</c> and <c>--cache-to</c> name it.</summary>
public sealed record SolveCache
{
    /// <summary>The kind of place: <c>registry</c>, <c>inline</c>, <c>local</c>, <c>gha</c>, <c>s3</c>, <c>azblob</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Its attributes, such as <c>ref</c>, <c>mode</c>, or for <c>local</c> the absolute paths <c>src</c> and <c>dest</c>.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The type alone: attributes may hold credentials.</summary>
    /// <returns>A text without a secret.</returns>
    public override string ToString() => $"{nameof(SolveCache)} {{ Type = {Type} }}";
}
