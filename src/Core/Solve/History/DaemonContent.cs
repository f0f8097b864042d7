using System.Security.Cryptography;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Protocol.History;

namespace BuildKit.Solve.History;

/// <summary>Reads blobs that belong to the daemon's records of builds (<c>containerd.services.content.v1.Content</c>).</summary>
internal sealed class DaemonContent(CallInvoker invoker)
{
    private static readonly Method<ReadContentRequest, ReadContentResponse> ReadMethod =
        Method.Protobuf<ReadContentRequest, ReadContentResponse>(MethodType.ServerStreaming, "containerd.services.content.v1.Content", "Read");

    /// <summary>Reads a blob whole and verifies it.</summary>
    /// <param name="blob">Which; its size must be known.</param>
    /// <param name="limit">How large it may be, in bytes.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Its bytes.</returns>
    /// <exception cref="RpcException">The daemon does not have it, or the connection broke.</exception>
    /// <exception cref="InvalidDataException">It is larger than allowed, or not what its descriptor says.</exception>
    public async Task<byte[]> ReadAsync(BlobDescriptor blob, int limit, CancellationToken cancellationToken)
    {
        if (blob.Size is < 0 || blob.Size > limit)
            throw new InvalidDataException($"The blob {blob.Digest} has {blob.Size} bytes, which is more than the {limit} that are taken.");
        var bytes = new byte[blob.Size];
        var length = 0;
        using var call = invoker.AsyncServerStreamingCall(
            ReadMethod, new CallOptions(CancellationToken: cancellationToken), new ReadContentRequest { Digest = blob.Digest });
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var data = call.ResponseStream.Current.Data.Span;
            if (data.Length > bytes.Length - length)
                throw Different(blob);
            data.CopyTo(bytes.AsSpan(length));
            length += data.Length;
        }
        if (length != bytes.Length || blob.Digest != "sha256:" + Convert.ToHexString(SHA256.HashData(bytes)).ToLowerInvariant())
            throw Different(blob);
        return bytes;
    }

    private static InvalidDataException Different(BlobDescriptor blob) => new($"The blob {blob.Digest} of {blob.Size} bytes was sent with other contents.");
}
