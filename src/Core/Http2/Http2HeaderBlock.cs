using BuildKit.Http2.Hpack;

namespace BuildKit.Http2;

/// <summary>Joins the fragments of HEADERS and CONTINUATION and decodes them (RFC 9113 section 4.3).</summary>
internal sealed class Http2HeaderBlock(Http2ServerOptions options) : IDisposable
{
    private readonly PooledBufferWriter _fragments = new(4096);
    private readonly HpackDecoder _decoder = new(options.HeaderTableSize);

    /// <summary>The stream whose headers are under way; 0 between blocks.</summary>
    public int StreamId { get; private set; }

    public bool EndStream { get; private set; }

    public void Start(int streamId, bool endStream)
    {
        StreamId = streamId;
        EndStream = endStream;
        _fragments.Clear();
    }

    /// <summary>Adds a fragment.</summary>
    /// <exception cref="Http2ConnectionException">The block is larger than any header list that we would accept.</exception>
    public void Append(ReadOnlySpan<byte> fragment)
    {
        // Compression makes a block smaller than its list as a rule; dropping the rest unread would break the compression state, so the connection ends.
        if (_fragments.WrittenCount + fragment.Length > options.MaxHeaderListSize)
            throw new Http2ConnectionException(Http2ErrorCode.EnhanceYourCalm, $"A header block exceeds the limit of {options.MaxHeaderListSize} octets.");
        fragment.CopyTo(_fragments.GetSpan(fragment.Length));
        _fragments.Advance(fragment.Length);
    }

    /// <summary>Decodes the block that is complete now.</summary>
    /// <returns>False when the headers are more than the limit.</returns>
    /// <exception cref="Http2ConnectionException">The block can't be decoded.</exception>
    public bool Decode(List<HeaderField> fields)
    {
        StreamId = 0;
        try
        {
            return _decoder.Decode(_fragments.WrittenSpan, options.MaxHeaderListSize, fields);
        }
        catch (HpackDecodingException exception)
        {
            throw new Http2ConnectionException(Http2ErrorCode.CompressionError, exception.Message);
        }
    }

    public void Dispose() => _fragments.Dispose();
}
