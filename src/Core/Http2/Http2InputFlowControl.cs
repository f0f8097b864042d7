namespace BuildKit.Http2;

/// <summary>
/// What the peer may still send us on a stream or a connection (RFC 9113 section 5.2). The read loop takes from the window, handlers give back
/// what they have read, and the peer is told once half of the window has come together.
/// </summary>
internal sealed class Http2InputFlowControl(int windowSize)
{
    private readonly object _gate = new();
    private readonly int _threshold = windowSize / 2;
    private int _available = windowSize;
    private int _returned;

    /// <summary>Takes the octets of a DATA frame, padding included; false when the peer sent more than it may.</summary>
    public bool TryReceive(int octets)
    {
        lock (_gate)
        {
            if (octets > _available)
                return false;
            _available -= octets;
            return true;
        }
    }

    /// <summary>Gives octets back and returns the increment that a WINDOW_UPDATE must carry now, or 0.</summary>
    public int Return(int octets)
    {
        lock (_gate)
        {
            _returned += octets;
            if (_returned < _threshold)
                return 0;
            var increment = _returned;
            _returned = 0;
            _available += increment;
            return increment;
        }
    }
}
