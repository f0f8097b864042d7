using System.Text.RegularExpressions;
using BuildKit.Session.Secrets;
using BuildKit.Session.Ssh;

namespace BuildKit.Solve.Planning;

/// <summary>
/// Secrets and SSH agents that the session serves. Each service is there only where something was asked for, so that the daemon's own words say what is missing.
/// </summary>
internal static partial class SecretPlanner
{
    /// <summary>Adds the services.</summary>
    /// <exception cref="BuildKitException">A secret's source does not exist, an SSH agent does not answer, or a key can't be used.</exception>
    public static async Task AddToAsync(SolvePlan plan, SolveRequest request, CancellationToken cancellationToken)
    {
        var secrets = request.Secrets.Select(SourceOf).ToList();
        secrets.ForEach(static secret => secret.Check());
        if (secrets.Count > 0)
            plan.Services.Add(new SecretService(secrets));

        // As buildx has it: whoever builds from a git repository behind SSH means the agent.
        var ssh = request.Ssh.Count == 0 && request.Context is { } context && GitOverSsh().IsMatch(context) ? [new SolveSsh()] : request.Ssh;
        if (ssh.Count == 0)
            return;
        var agents = await SshAgents.OpenAsync(ssh.Select(static agent => (agent.Id, agent.Paths)), cancellationToken).ConfigureAwait(false);
        plan.Services.Add(new SshService(agents));
    }

    private static SecretSource SourceOf(SolveSecret secret)
    {
        if (string.IsNullOrEmpty(secret.Id))
            throw SecretErrors.Invalid("A secret has no id.", null);
        return secret switch
        {
            { FilePath: { } path, EnvironmentVariable: null, Provider: null } => new FileSecret(secret.Id, path),
            { FilePath: null, EnvironmentVariable: { } variable, Provider: null } => new EnvironmentSecret(secret.Id, variable),
            { FilePath: null, EnvironmentVariable: null, Provider: { } provider } => new ProvidedSecret(secret.Id, provider),
            { FilePath: null, EnvironmentVariable: null } => throw SecretErrors.Invalid($"The secret '{secret.Id}' has no source.", secret.Id),
            _ => throw SecretErrors.Invalid($"The secret '{secret.Id}' has several sources.", secret.Id),
        };
    }

    // docker/buildx buildflags.IsGitSSH; buildkit util/gitutil ParseURL knows ssh:// and user@host:path.
    [GeneratedRegex(@"^ssh://|^[\w.-]+@[\w.-]+:(?!//)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex GitOverSsh();
}
