using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Session.Secrets;

/// <summary>
/// The bytes of a secret for as long as one answer needs them. They do not move in memory, so that no copy of them is left behind,
/// and are overwritten at the end.
/// </summary>
internal sealed class SecretValue : IDisposable
{
    private readonly byte[] _buffer;

    private SecretValue(int capacity)
    {
        _buffer = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        Memory = _buffer;
    }

    /// <summary>The bytes, until <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Memory { get; private set; }

    public static SecretValue CopyOf(ReadOnlySpan<byte> bytes)
    {
        var value = new SecretValue(bytes.Length);
        bytes.CopyTo(value._buffer);
        return value;
    }

    public static SecretValue Of(string text)
    {
        var value = new SecretValue(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, value._buffer);
        return value;
    }

    /// <exception cref="ObjectDisposedException">The characters are gone.</exception>
    public static unsafe SecretValue Of(SecureString text)
    {
        // The length may change between two looks at it; the terminating zero does not move.
        var copy = Marshal.SecureStringToGlobalAllocUnicode(text);
        try
        {
            var characters = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((char*)copy);
            var value = new SecretValue(Encoding.UTF8.GetByteCount(characters));
            Encoding.UTF8.GetBytes(characters, value._buffer);
            return value;
        }
        finally
        {
            Marshal.ZeroFreeGlobalAllocUnicode(copy);
        }
    }

    /// <summary>Reads a file of any kind to its end, or until there are that many bytes.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static async ValueTask<SecretValue> OfFileAsync(string path, int limit, CancellationToken cancellationToken)
    {
        // Without a buffer of its own, in which the bytes would stay.
        var options = new FileStreamOptions { BufferSize = 0, Options = FileOptions.Asynchronous | FileOptions.SequentialScan };
        var stream = new FileStream(path, options);
        await using (stream.ConfigureAwait(false))
        {
            var value = new SecretValue(limit);
            try
            {
                var read = await stream.ReadAtLeastAsync(value._buffer, limit, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
                value.Memory = value._buffer.AsMemory(0, read);
                return value;
            }
            catch
            {
                value.Dispose();
                throw;
            }
        }
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer);
        Memory = default;
    }

    public override string ToString() => $"{Memory.Length} bytes";
}
