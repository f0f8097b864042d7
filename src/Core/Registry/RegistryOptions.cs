using BuildKit.Docker;

namespace BuildKit.Registry;

/// <summary>How registries are used.</summary>
internal sealed record RegistryOptions
{
    /// <summary>Where the credentials are; stays the caller's.</summary>
    public required CredentialStore Credentials { get; init; }

    /// <summary>Whether a registry that is not on this machine may be spoken to without TLS, or with a certificate that nobody vouches for.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>Folders like <c>/etc/docker/certs.d</c>, with a folder for each registry in which the certificates to use with it lie.</summary>
    public IReadOnlyList<string> CertificateDirectories { get; init; } = RegistryCertificates.DefaultDirectories(Environment.GetEnvironmentVariable);

    /// <summary>How often a request is made in all before its failure counts.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>How long the pause before the second attempt is; every further one is twice as long, up to 32 times.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a registry may be asked by itself to wait (<c>Retry-After</c>) before that is an error.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long nothing may come, or be taken, before a connection counts as broken.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a registry may think about an answer: some copy a whole blob after its last byte.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
