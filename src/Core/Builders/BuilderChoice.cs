namespace BuildKit.Builders;

/// <summary>What is used where no builder is named. Where it is, and whether it exists at all, is not looked at.</summary>
/// <param name="Name">The name of a builder or docker context, or an address.</param>
/// <param name="Source">The setting that says so, such as <c>$env:BUILDX_BUILDER</c>; null where none does.</param>
/// <param name="OverridesStore">Whether that setting stands before the current builder of buildx's store.</param>
public sealed record BuilderChoice(string Name, string? Source, bool OverridesStore)
{
    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}
