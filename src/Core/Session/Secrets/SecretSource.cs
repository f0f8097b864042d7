namespace BuildKit.Session.Secrets;

/// <summary>Where the value of one secret comes from: looked at before the build, read when the daemon asks.</summary>
internal abstract class SecretSource(string id)
{
    /// <summary>The most bytes a secret may have, as upstream's <c>MaxSecretSize</c>.</summary>
    public const int MaxSize = 500 * 1024;

    /// <summary>What a step names the secret by.</summary>
    public string Id { get; } = id;

    /// <summary>Finds before the build what is wrong.</summary>
    /// <exception cref="BuildKitException">
    /// <c>BuildKit.InvalidSecret</c>, <c>BuildKit.SecretNotFound</c>, <c>BuildKit.SecretTooLarge</c> or <c>BuildKit.SecretUnreadable</c>.
    /// </exception>
    public abstract void Check();

    /// <summary>Reads the value.</summary>
    /// <returns>The value; the caller disposes it.</returns>
    /// <exception cref="BuildKitException">It is gone, too large, or can't be read.</exception>
    public async ValueTask<SecretValue> ReadAsync(CancellationToken cancellationToken)
    {
        var value = await ReadCoreAsync(cancellationToken).ConfigureAwait(false);
        if (value.Memory.Length <= MaxSize)
            return value;
        value.Dispose();
        throw SecretErrors.TooLarge(Id);
    }

    protected abstract ValueTask<SecretValue> ReadCoreAsync(CancellationToken cancellationToken);
}
