using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Session.Ssh;

/// <summary>Reads private keys from files: OpenSSH's own form, and PEM (PKCS#1, SEC 1, PKCS#8).</summary>
internal static class SshKeyFile
{
    // As upstream.
    private const int MaxSize = 100 * 1024;

    /// <summary>Reads a key.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The key; the caller disposes it.</returns>
    /// <exception cref="BuildKitException">It is no key, has a passphrase, or is of a kind that can't be used here.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static async ValueTask<SshPrivateKey> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaxSize, pinned: true);
        try
        {
            var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.Asynchronous });
            await using (stream.ConfigureAwait(false))
            {
                var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                return Parse(path, buffer.AsSpan(0, length));
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static SshPrivateKey Parse(string path, ReadOnlySpan<byte> content)
    {
        var text = GC.AllocateUninitializedArray<char>(content.Length, pinned: true);
        try
        {
            return PemKey.Parse(text.AsSpan(0, Encoding.Latin1.GetChars(content, text)));
        }
        catch (SshKeyException e)
        {
            throw e.Problem switch
            {
                SshKeyProblem.Encrypted => SshErrors.KeyEncrypted(path),
                SshKeyProblem.NotSupported => SshErrors.KeyNotSupported(path, e.Message, e.InnerException),
                _ => SshErrors.KeyInvalid(path, e.Message, e.InnerException),
            };
        }
        catch (CryptographicException e)
        {
            throw SshErrors.KeyInvalid(path, "its numbers do not make a key", e);
        }
        finally
        {
            text.AsSpan().Clear();
        }
    }
}
