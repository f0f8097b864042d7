namespace BuildKit.Registry;

/// <summary>What a request needs to be allowed, as token servers write it (distribution's spec/auth/scope).</summary>
internal static class RegistryScope
{
    /// <summary>No right on any repository: to ask whether the registry is there.</summary>
    public static IReadOnlyList<string> None { get; } = [];

    public static IReadOnlyList<string> Pull(string repository) => [$"repository:{repository}:pull"];

    public static IReadOnlyList<string> Push(string repository) => [$"repository:{repository}:pull,push"];

    /// <summary>To push to one repository what another one has.</summary>
    public static IReadOnlyList<string> Mount(string repository, string from) => [.. Push(repository), .. Pull(from)];
}
