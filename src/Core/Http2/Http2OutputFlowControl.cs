namespace BuildKit.Http2;

/// <summary>What we may still send on a stream or a connection (RFC 9113 section 6.9). It is guarded by the lock of <see cref="Http2Output"/>.</summary>
internal struct Http2OutputFlowControl(int initialWindowSize)
{
    /// <summary>Below zero after the peer lowered its initial window (RFC 9113 section 6.9.2).</summary>
    public long Available { get; private set; } = initialWindowSize;

    /// <summary>Takes the octets of a DATA frame that is sent.</summary>
    public void Consume(int octets) => Available -= octets;

    /// <summary>Applies a WINDOW_UPDATE or a change of the initial window; false when the window would exceed 2^31-1.</summary>
    public bool TryAdjust(int delta)
    {
        if (Available + delta > Http2Settings.MaxWindowSize)
            return false;
        Available += delta;
        return true;
    }
}
