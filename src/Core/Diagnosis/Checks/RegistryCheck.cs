using BuildKit.Docker;

namespace BuildKit.Diagnosis.Checks;

/// <summary>Whether credentials can be found for registries. Their programs are asked, the registries are not; what is found is shown nowhere.</summary>
internal static class RegistryCheck
{
    private const string All = "*";

    /// <summary>The registries that the docker config names, as it names them.</summary>
    public static IReadOnlyList<string> Configured(DockerConfigFile config) =>
        config.Auths.Keys.Concat(config.CredentialHelpers.Keys).Distinct().Order(StringComparer.Ordinal).ToList();

    /// <summary>The registries to look at, one by one; null for a look at the docker config alone.</summary>
    public static IReadOnlyList<string?> Expand(IReadOnlyList<string> registries, DockerConfigFile? config)
    {
        var hosts = registries.SelectMany(registry => registry == All ? (config is null ? [] : Configured(config)) : [registry])
            .Select(CredentialStore.ToHost).Distinct().ToList<string?>();
        return hosts.Count > 0 ? hosts : [null];
    }

    public static async Task<Finding> RunAsync(Subject subject, CancellationToken cancellationToken)
    {
        using var store = new CredentialStore(subject.Config!, subject.Request.Variable, TimeProvider.System, subject.Request.Timeout);
        if (subject.Registry is not { } registry)
            return LookAtConfig(subject.Config!, store);
        var helper = store.HelperOf(CredentialStore.KeyOf(registry));
        var where = helper is null ? $"'{subject.Config!.FilePath}'" : $"the program '{helper.Name}'";
        var found = await store.GetAsync(registry, cancellationToken).ConfigureAwait(false);
        if (found.IsEmpty)
            return Finding.Warning(
                $"There are no credentials for {registry} in {where}: only what is public can be pulled, and nothing pushed.",
                $"docker login {registry}", "BuildKit.CredentialsNotFound");
        var kind = found.IdentityToken is { Length: > 0 } ? "an identity token" : found.RegistryToken is { Length: > 0 } ? "a registry token" : "a user and a password";
        return Finding.Pass($"There are credentials for {registry} in {where}: {kind}. The registry was not asked whether it takes them.");
    }

    private static Finding LookAtConfig(DockerConfigFile config, CredentialStore store)
    {
        var registries = Configured(config);
        // A program that is not there fails every build that asks a registry for something.
        foreach (var key in registries.Append(CredentialStore.KeyOf(CredentialStore.DockerHubHost)))
            store.HelperOf(key)?.Find(key);
        var programs = config.CredentialHelpers.Values.Append(config.CredentialsStore).OfType<string>().Distinct().ToList();
        if (registries.Count == 0 && programs.Count == 0)
            return Finding.Pass($"'{config.FilePath}' has no credentials: only what is public can be pulled.");
        var kept = programs.Count > 0 ? $" Programs that keep credentials are there: {string.Join(", ", programs)}." : string.Empty;
        var named = registries.Count > 0 ? $"The docker config names {string.Join(", ", registries.Select(CredentialStore.ToHost))}." : "The docker config names no registry.";
        return Finding.Pass($"{named}{kept} None was asked for; -Registry does that.");
    }
}
