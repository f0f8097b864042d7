namespace BuildKit.Solve;

/// <summary>
/// An SSH agent, or keys, that steps may use by an id: they may list the keys and sign with them, and change nothing. Of an agent, the step's connections are
/// carried to its socket; for key files this process answers itself (RSA, ECDSA, and Ed25519 where OpenSSL's libcrypto is found).
/// </summary>
public sealed record SolveSsh
{
    /// <summary>What <c>RUN --mount=type=ssh,id=…</c> names it by.</summary>
    public string Id { get; init; } = "default";

    /// <summary>
    /// The absolute path of an agent's socket (on Windows also of a pipe), or those of private key files without a passphrase. None means
    /// <c>$SSH_AUTH_SOCK</c>, and on Windows else the system's own agent.
    /// </summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The id and the paths.</summary>
    /// <returns>A text such as <c>git=/home/me/.ssh/id_rsa</c>, as docker users write it.</returns>
    public override string ToString() => Paths.Count == 0 ? Id : $"{Id}={string.Join(',', Paths)}";
}
