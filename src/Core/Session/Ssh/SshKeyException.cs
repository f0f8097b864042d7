namespace BuildKit.Session.Ssh;

/// <summary>Why a private key can't be used.</summary>
internal enum SshKeyProblem
{
    /// <summary>It is no private key.</summary>
    Invalid,

    /// <summary>It has a passphrase.</summary>
    Encrypted,

    /// <summary>It is of a kind that can't be used here.</summary>
    NotSupported,
}

/// <summary>Ends the reading of a key; whoever knows the file's name makes an error of it. The message is the end of a sentence.</summary>
internal sealed class SshKeyException(SshKeyProblem problem, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public SshKeyProblem Problem { get; } = problem;
}
