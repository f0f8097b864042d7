using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using BuildKit.Transport;

namespace BuildKit.Docker;

/// <summary>
/// The stream of an attached process without a terminal. What comes is framed: a byte that tells the stream (1 standard output, 2 standard error), three zeros, the length as big-endian
/// 32 bits, the bytes (Engine API, ContainerAttach). What goes is raw. Standard output is read here; standard error is kept for the error at an early end, and so is
/// standard output that begins otherwise than it should: there the Engine writes why it can't start a command.
/// </summary>
/// <param name="inner">The raw stream.</param>
/// <param name="firstByte">What the process's output begins with.</param>
/// <param name="ended">Makes the error of a process that ended, of its words.</param>
internal sealed class MultiplexedStream(Stream inner, byte firstByte, Func<string, Exception> ended) : DelegatingStream(inner)
{
    private const int HeaderLength = 8;
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const int MaxWords = 4096;

    private readonly byte[] _header = new byte[HeaderLength];
    private readonly StringBuilder _words = new();
    private long _left;
    private bool _begun;

    /// <summary>The text in a whole framed stream, of whichever stream; what is cut off at the end is left out.</summary>
    public static string Decode(ReadOnlySpan<byte> frames)
    {
        var text = new ArrayBufferWriter<byte>();
        while (frames.Length >= HeaderLength)
        {
            var length = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(frames[4..]), (uint)(frames.Length - HeaderLength));
            text.Write(frames.Slice(HeaderLength, length));
            frames = frames[(HeaderLength + length)..];
        }
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    public override int Read(Span<byte> buffer) => throw new NotSupportedException();

    /// <exception cref="Exception">What <c>ended</c> makes of the words, where the process ended.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        while (_left == 0)
        {
            if (await ReadHeaderAsync(cancellationToken).ConfigureAwait(false) == StandardError)
                await KeepWordsAsync(cancellationToken).ConfigureAwait(false);
        }
        var read = await ReadSomeAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (_begun)
            return read;
        _begun = true;
        if (buffer.Span[0] == firstByte)
            return read;
        Keep(buffer.Span[..read]);
        while (true)
        {
            await KeepWordsAsync(cancellationToken).ConfigureAwait(false);
            await ReadHeaderAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<byte> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        if (await Inner.ReadAtLeastAsync(_header, HeaderLength, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < HeaderLength)
            throw Ended();
        if (_header[0] is not (StandardOutput or StandardError))
            throw new InvalidDataException("The Engine's stream of a process is not framed as it should be.");
        _left = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(4));
        return _header[0];
    }

    private async ValueTask<int> ReadSomeAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await Inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken).ConfigureAwait(false);
        if (read == 0)
            throw Ended();
        _left -= read;
        return read;
    }

    private async Task KeepWordsAsync(CancellationToken cancellationToken)
    {
        var chunk = new byte[Math.Min(_left, MaxWords)];
        while (_left > 0)
            Keep(chunk.AsSpan(0, await ReadSomeAsync(chunk, cancellationToken).ConfigureAwait(false)));
    }

    private void Keep(ReadOnlySpan<byte> words)
    {
        _words.Append(Encoding.UTF8.GetString(words));
        if (_words.Length > MaxWords)
            _words.Remove(0, _words.Length - MaxWords);
    }

    private Exception Ended() => ended(_words.ToString().Trim());
}
