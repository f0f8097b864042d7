namespace BuildKit.Http2;

/// <summary>How many of the cheap frames that cost the receiver more than the sender a peer may send: a burst, then a rate.</summary>
internal sealed class Http2FloodBudget(int burst, int perSecond)
{
    private readonly object _gate = new();
    private double _left = burst;
    private long _refilledAt = Environment.TickCount64;

    /// <summary>Takes one; false when none is left.</summary>
    public bool TrySpend()
    {
        lock (_gate)
        {
            var now = Environment.TickCount64;
            _left = Math.Min(burst, _left + ((now - _refilledAt) * perSecond / 1000.0));
            _refilledAt = now;
            if (_left < 1)
                return false;
            _left--;
            return true;
        }
    }

    /// <summary>Gives one back, for a frame that carried something.</summary>
    public void Earn()
    {
        lock (_gate)
            _left = Math.Min(burst, _left + 1);
    }
}
