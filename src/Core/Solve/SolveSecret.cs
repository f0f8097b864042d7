using System.Security;
using System.Text;
using BuildKit.Session.Secrets;

namespace BuildKit.Solve;

/// <summary>
/// A secret that steps may mount by its id. Its value is read each time a step asks for it, may have 500 KiB, and is shown nowhere: not by
/// <see cref="ToString"/>, nor in any error. Set either <see cref="FilePath"/> or <see cref="EnvironmentVariable"/>, or make one with
/// <see cref="FromValue(string, SecureString)"/> or <see cref="FromProvider"/>.
/// </summary>
public sealed record SolveSecret
{
    /// <summary>What <c>RUN --mount=type=secret,id=…</c> names it by.</summary>
    public required string Id { get; init; }

    /// <summary>The absolute path of the file that holds it, or null.</summary>
    public string? FilePath { get; init; }

    /// <summary>The environment variable of this process that holds it, or null.</summary>
    public string? EnvironmentVariable { get; init; }

    // Not public: what prints or serialises an object's properties would find the value in the closure.
    internal Func<CancellationToken, ValueTask<SecretValue>>? Provider { get; init; }

    /// <summary>A secret that is the content of a file, byte for byte.</summary>
    /// <param name="id">What a step names it by.</param>
    /// <param name="path">The file's absolute path.</param>
    /// <returns>The secret. A build refuses it where the file does not exist then.</returns>
    public static SolveSecret FromFile(string id, string path) => new() { Id = id, FilePath = path };

    /// <summary>A secret that is the value of an environment variable of this process, in UTF-8.</summary>
    /// <param name="id">What a step names it by.</param>
    /// <param name="variable">The variable's name.</param>
    /// <returns>The secret. A build refuses it where the variable is not set then.</returns>
    public static SolveSecret FromEnvironment(string id, string variable) => new() { Id = id, EnvironmentVariable = variable };

    /// <summary>A secret of these characters, in UTF-8.</summary>
    /// <param name="id">What a step names it by.</param>
    /// <param name="value">The characters. They are not copied: dispose it after the build.</param>
    /// <returns>The secret.</returns>
    public static SolveSecret FromValue(string id, SecureString value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new() { Id = id, Provider = _ => ValueTask.FromResult(SecretValue.Of(value)) };
    }

    /// <summary>A secret of these bytes.</summary>
    /// <param name="id">What a step names it by.</param>
    /// <param name="value">The bytes. They are not copied: overwrite them after the build, if they are to be gone then.</param>
    /// <returns>The secret.</returns>
    public static SolveSecret FromValue(string id, ReadOnlyMemory<byte> value) =>
        new() { Id = id, Provider = _ => ValueTask.FromResult(SecretValue.CopyOf(value.Span)) };

    /// <summary>A secret that is asked for when a step needs it.</summary>
    /// <param name="id">What a step names it by.</param>
    /// <param name="provider">
    /// Gives the bytes; called on a thread of the pool, perhaps several times. They are copied at once. Where it throws, the step fails with
    /// <c>BuildKit.SecretProviderFailed</c>, which has the exception as its inner one.
    /// </param>
    /// <returns>The secret.</returns>
    public static SolveSecret FromProvider(string id, Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return new()
        {
            Id = id,
            Provider = async cancellationToken => SecretValue.CopyOf((await provider(cancellationToken).ConfigureAwait(false)).Span),
        };
    }

    /// <summary>The id and where the value comes from, without the value.</summary>
    /// <returns>A text such as <c>SolveSecret { Id = npm, FilePath = /home/me/.npmrc }</c>.</returns>
    public override string ToString()
    {
        var text = new StringBuilder("SolveSecret { Id = ").Append(Id);
        if (FilePath is not null)
            text.Append(", FilePath = ").Append(FilePath);
        if (EnvironmentVariable is not null)
            text.Append(", EnvironmentVariable = ").Append(EnvironmentVariable);
        return text.Append(" }").ToString();
    }
}
