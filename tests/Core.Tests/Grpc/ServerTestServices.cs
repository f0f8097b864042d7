using BuildKit.Grpc;

namespace BuildKit.Tests.Grpc;

/// <summary>Adds handlers for the methods of <see cref="ClientTestCalls"/>.</summary>
internal static class ServerTestServices
{
    public static ServerServiceDefinition WithUnary(this ServerServiceDefinition service, UnaryServerMethod<string, string> handler) =>
        service.AddMethod(ClientTestCalls.Unary, handler);

    public static ServerServiceDefinition WithServerStreaming(this ServerServiceDefinition service, ServerStreamingServerMethod<string, string> handler) =>
        service.AddMethod(ClientTestCalls.ServerStreaming, handler);

    public static ServerServiceDefinition WithClientStreaming(this ServerServiceDefinition service, ClientStreamingServerMethod<string, string> handler) =>
        service.AddMethod(ClientTestCalls.ClientStreaming, handler);

    public static ServerServiceDefinition WithDuplex(this ServerServiceDefinition service, DuplexStreamingServerMethod<string, string> handler) =>
        service.AddMethod(ClientTestCalls.Duplex, handler);
}
