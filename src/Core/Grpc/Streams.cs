namespace BuildKit.Grpc;

/// <summary>Messages as they come from the peer. <see cref="MoveNext"/> is false at the end of the stream and throws <see cref="RpcException"/> when it broke.</summary>
internal interface IAsyncStreamReader<out T>
{
    T Current { get; }

    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Messages to the peer. A write completes once flow control has let the bytes through; one write at a time.</summary>
internal interface IAsyncStreamWriter<in T>
{
    ValueTask WriteAsync(T message, CancellationToken cancellationToken);
}

/// <summary>The client's half of a streaming call.</summary>
internal interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Says that no more messages follow.</summary>
    ValueTask CompleteAsync();
}

/// <summary>The server's half of a streaming call; it ends when the handler returns.</summary>
internal interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>;

internal static class AsyncStreamReaderExtensions
{
    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> reader, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await reader.MoveNext(cancellationToken).ConfigureAwait(false))
            yield return reader.Current;
    }
}
