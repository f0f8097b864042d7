using System.Buffers;
using Google.Protobuf;

namespace BuildKit.Grpc;

/// <summary>
/// How a message becomes bytes and back. <see cref="Size"/> is asked first, so that a frame's length prefix can be written before its body
/// and one pooled buffer of the right size holds both. The sequence given to <see cref="Deserializer"/> is valid during that call only.
/// </summary>
internal sealed record Marshaller<T>(Func<T, int> Size, Action<T, IBufferWriter<byte>> Serializer, Func<ReadOnlySequence<byte>, T> Deserializer);

internal static class Marshallers
{
    /// <summary>The marshaller of a generated protobuf message.</summary>
    public static Marshaller<T> Protobuf<T>() where T : class, IMessage<T>, new()
    {
        var parser = new MessageParser<T>(static () => new T());
        return new Marshaller<T>(
            static message => message.CalculateSize(),
            static (message, writer) => message.WriteTo(writer),
            data => parser.ParseFrom(data));
    }
}
