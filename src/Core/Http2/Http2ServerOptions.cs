namespace BuildKit.Http2;

/// <summary>The limits of one server connection. The defaults suit a BuildKit daemon; the upstream client's own server accepts as many streams and as large headers.</summary>
internal sealed record Http2ServerOptions
{
    /// <summary>How many requests the peer may have open at once; one more is refused.</summary>
    public int MaxConcurrentStreams { get; init; } = 250;

    /// <summary>How many octets a request may have sent that its handler has not read.</summary>
    public int StreamWindowSize { get; init; } = 1024 * 1024;

    /// <summary>How many octets all requests together may have sent that their handlers have not read. Many times <see cref="StreamWindowSize"/>, so that a
    /// few handlers that do not read leave room for the others.</summary>
    public int ConnectionWindowSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>The largest frame payload accepted, in octets: 16,384 to 16,777,215.</summary>
    public int MaxFrameSize { get; init; } = Http2Settings.MinMaxFrameSize;

    /// <summary>The most that the headers of one request may come to, in octets with 32 for each header. Beyond it the request is answered with 431.</summary>
    public int MaxHeaderListSize { get; init; } = 1024 * 1024;

    /// <summary>The size of the decoder's dynamic table, in octets.</summary>
    public int HeaderTableSize { get; init; } = Http2Settings.DefaultHeaderTableSize;

    /// <summary>How many octets of frames are gathered into one write to the transport.</summary>
    public int MaxWriteSize { get; init; } = 128 * 1024;

    /// <summary>How many octets a response may have written that were not yet sent, before its writer is made to wait. One message beyond it is always taken.</summary>
    public int StreamSendBufferSize { get; init; } = 128 * 1024;

    /// <summary>How many acknowledgements, resets and window updates may wait for a peer that does not read them.</summary>
    public int MaxQueuedControlFrames { get; init; } = 10_000;

    /// <summary>How many frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA, unknown types) are taken at once. The budget grows by one
    /// with each DATA frame that carries something, in either direction, and by <see cref="IdleFramesPerSecond"/>.</summary>
    public int IdleFrameBudget { get; init; } = 10_000;

    /// <summary>How many frames that carry nothing are taken in the long run.</summary>
    public int IdleFramesPerSecond { get; init; } = 200;

    /// <summary>How many requests may be reset at once, by the peer or for its mistakes (CVE-2023-44487, CVE-2025-8671).</summary>
    public int ResetBudget { get; init; } = 1000;

    /// <summary>How many requests may be reset in the long run.</summary>
    public int ResetsPerSecond { get; init; } = 50;

    /// <summary>How long the end of a connection waits for a transport that does not take the last frames. Short: somebody who cancels a build waits for it.</summary>
    public TimeSpan TransportTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the end of a connection waits for handlers that were told to stop and still tidy up.</summary>
    public TimeSpan HandlerTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
