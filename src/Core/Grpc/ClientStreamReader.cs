namespace BuildKit.Grpc;

/// <summary>The messages of a call's response, one at a time.</summary>
internal sealed class ClientStreamReader<T>(GrpcCall call, Marshaller<T> marshaller) : IAsyncStreamReader<T>
{
    private T? _current;

    public T Current => _current!;

    /// <summary>Cancelling the token cancels the call, as a message that was read in part can't be read again.</summary>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static (call, token) => ((GrpcCall)call!).Cancel(token), call);
        _current = default;
        var messages = await call.Response.ConfigureAwait(false);
        if (call.Outcome is { } ended)
            return EndOfStream(ended);
        try
        {
            if (await messages!.MoveNextAsync(call.Ended).ConfigureAwait(false))
            {
                _current = Deserialize(messages);
                return true;
            }
        }
        catch (Exception e)
        {
            throw call.Fail(e);
        }

        return EndOfStream(call.FinishWithTrailers());
    }

    /// <summary>The only message of a response, once the call has ended well.</summary>
    public async Task<T> ReadSingleAsync()
    {
        if (!await MoveNext(CancellationToken.None).ConfigureAwait(false))
            throw new RpcException(new Status(StatusCode.Internal, "The peer ended the call without a message."), call.GetTrailers());
        var message = Current;
        if (await MoveNext(CancellationToken.None).ConfigureAwait(false))
            throw call.Fail(new RpcException(new Status(StatusCode.Internal, "The peer sent more than one message.")));
        return message;
    }

    private T Deserialize(ResponseMessageReader messages)
    {
        try
        {
            return marshaller.Deserializer(messages.Current);
        }
        catch (Exception e)
        {
            // Not left to CallOutcome.FromFault: protobuf's exception is an IOException, and would pass for a broken connection.
            throw new RpcException(new Status(StatusCode.Internal, $"A message of the peer can't be read: {e.Message}"), innerException: e);
        }
        finally
        {
            messages.Advance();
        }
    }

    private static bool EndOfStream(CallOutcome outcome) => outcome.Status.StatusCode == StatusCode.OK ? false : throw outcome.ToException();
}
