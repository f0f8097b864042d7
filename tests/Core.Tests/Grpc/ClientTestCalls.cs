using System.Buffers;
using System.Text;
using BuildKit.Grpc;
using Xunit;

namespace BuildKit.Tests.Grpc;

/// <summary>Methods whose messages are plain text, and what every test of the client needs.</summary>
internal static class ClientTestCalls
{
    public static readonly TimeSpan Guard = Poll.Patience;

    public static readonly Marshaller<string> Text = new(
        Encoding.UTF8.GetByteCount,
        static (text, writer) => writer.Write(Encoding.UTF8.GetBytes(text)),
        static data => Encoding.UTF8.GetString(data));

    public static readonly Method<string, string> Unary = new(MethodType.Unary, "test.Echo", "Unary", Text, Text);
    public static readonly Method<string, string> ServerStreaming = new(MethodType.ServerStreaming, "test.Echo", "Server", Text, Text);
    public static readonly Method<string, string> ClientStreaming = new(MethodType.ClientStreaming, "test.Echo", "Client", Text, Text);
    public static readonly Method<string, string> Duplex = new(MethodType.DuplexStreaming, "test.Echo", "Duplex", Text, Text);

    public static Task<string> CallAsync(this GrpcChannel channel, string request = "hello", CallOptions options = default) =>
        channel.AsyncUnaryCall(Unary, options, request).ResponseAsync.WaitAsync(Guard);

    public static async Task<RpcException> FailAsync(this Task call, StatusCode code)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(Guard));
        Assert.True(failure.StatusCode == code, $"{code} was expected: {failure}");
        return failure;
    }
}
