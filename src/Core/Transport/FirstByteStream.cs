namespace BuildKit.Transport;

/// <summary>Remembers the first byte that the peer sent, which tells a TLS peer (RFC 8446 section 5.1: a record's type comes first) from any other.</summary>
internal sealed class FirstByteStream(Stream inner) : DelegatingStream(inner)
{
    public byte? FirstByte { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        var read = Inner.Read(buffer);
        if (FirstByte is null && read > 0)
            FirstByte = buffer[0];
        return read;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        FirstByte is null ? ReadFirstAsync(buffer, cancellationToken) : Inner.ReadAsync(buffer, cancellationToken);

    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await Inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (read > 0)
            FirstByte = buffer.Span[0];
        return read;
    }
}
