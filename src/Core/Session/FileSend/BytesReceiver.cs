using BuildKit.Grpc;

namespace BuildKit.Session.FileSend;

/// <summary>Takes the <c>BytesMessage</c>s of one exporter from the stream.</summary>
internal static class BytesReceiver
{
    /// <summary>Gives every piece to <paramref name="write"/>; the memory is valid until the returned task completes.</summary>
    public static async Task ReceiveAsync(
        IAsyncStreamReader<FileSendMessage> requests, string destination, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            using var message = requests.Current;
            ReadOnlyMemory<byte> data;
            try
            {
                data = ReceivedPacket.ParseBytes(message.Memory);
            }
            catch (FormatException e)
            {
                throw ExportErrors.Protocol(destination, e.Message);
            }
            if (!data.IsEmpty)
                await write(data, cancellationToken).ConfigureAwait(false);
        }
    }
}
