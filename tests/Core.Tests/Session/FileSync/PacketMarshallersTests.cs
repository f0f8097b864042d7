using System.Buffers;
using BuildKit.Grpc;
using BuildKit.Protocol.FileSync;
using BuildKit.Session.FileSync;
using BuildKit.Session.FileSync.Walk;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

public sealed class PacketMarshallersTests
{
    [Fact]
    public void A_stat_is_what_the_generated_class_reads()
    {
        var stat = new FileStat();
        stat.Reset("dir/é"u8);
        stat.Mode = uint.MaxValue;
        stat.Uid = 1;
        stat.Gid = 300;
        stat.Size = long.MaxValue;
        stat.ModTime = -1;
        stat.SetLinkName(new byte[200].AsSpan());
        stat.DevMajor = 259;
        stat.DevMinor = 70000;
        stat.Xattrs.Add(new("user.a"u8.ToArray(), new byte[300]));
        stat.Xattrs.Add(new("user.empty"u8.ToArray(), []));
        var expected = new Packet
        {
            Stat = new Stat
            {
                Path = "dir/é",
                Mode = uint.MaxValue,
                Uid = 1,
                Gid = 300,
                Size = long.MaxValue,
                ModTime = -1,
                Linkname = new string('\0', 200),
                Devmajor = 259,
                Devminor = 70000,
                Xattrs = { ["user.a"] = ByteString.CopyFrom(new byte[300]), ["user.empty"] = ByteString.Empty },
            },
        };
        Assert.Equal(expected, Packet.Parser.ParseFrom(Write(new SenderPacket().SetStat(stat))));
    }

    [Fact]
    public void Other_packets_are_byte_for_byte_those_of_the_generated_class()
    {
        var packet = new SenderPacket();
        Assert.Empty(Write(packet.SetStat(null)));
        var empty = new FileStat();
        empty.Reset([]);
        Assert.Equal(new Packet { Stat = new Stat() }.ToByteArray(), Write(packet.SetStat(empty)));
        foreach (var id in new uint[] { 0, 127, 128, uint.MaxValue })
        {
            foreach (var size in new[] { 0, 1, 127, 128, 16_383, 16_384, 100_000 })
            {
                var data = new byte[size];
                var expected = new Packet { Type = Packet.Types.PacketType.PacketData, ID = id, Data = ByteString.CopyFrom(data) };
                Assert.Equal(expected.ToByteArray(), Write(packet.SetData(id, data)));
            }
        }

        Assert.Equal(new Packet { Type = Packet.Types.PacketType.PacketFin }.ToByteArray(), Write(packet.SetFinish()));
        var error = new Packet { Type = Packet.Types.PacketType.PacketErr, Data = ByteString.CopyFromUtf8("no") };
        Assert.Equal(error.ToByteArray(), Write(packet.SetError("no"u8.ToArray())));
    }

    [Fact]
    public void The_receivers_packets_are_read_also_in_pieces()
    {
        var packet = new Packet { Type = Packet.Types.PacketType.PacketErr, ID = uint.MaxValue, Data = ByteString.CopyFromUtf8("ü") };
        packet.Stat = new Stat { Path = "x" };
        var bytes = packet.ToByteArray();
        Assert.Equal(new ReceiverPacket(PacketType.Error, uint.MaxValue, "ü"), Read(new ReadOnlySequence<byte>(bytes)));
        var first = new Segment([.. bytes.Take(3)], 0);
        var last = first.Append([.. bytes.Skip(3).Take(5)]).Append([.. bytes.Skip(8)]);
        Assert.Equal(new ReceiverPacket(PacketType.Error, uint.MaxValue, "ü"), Read(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length)));
        Assert.Equal(new ReceiverPacket(PacketType.Request, 0, ""), Read(new([8, 1])));
        // Fields that are not known, of every wire type.
        byte[] unknown = [8, 1, 0x78, 0x96, 1, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7A, 1, 0, 0x7D, 1, 2, 3, 4, 24, 5];
        Assert.Equal(new ReceiverPacket(PacketType.Request, 5, ""), Read(new(unknown)));
    }

    [Theory]
    [InlineData(new byte[] { 8 })]
    [InlineData(new byte[] { 8, 0x80 })]
    [InlineData(new byte[] { 0x22, 5, 1 })]
    [InlineData(new byte[] { 0x0B })]
    [InlineData(new byte[] { 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1 })]
    [InlineData(new byte[] { 0x22, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1 })]
    public void Garbage_is_an_error(byte[] bytes) => Assert.Equal(StatusCode.Internal, Assert.Throws<RpcException>(() => Read(new(bytes))).StatusCode);

    private static byte[] Write(SenderPacket packet)
    {
        var buffer = new ArrayBufferWriter<byte>();
        PacketMarshallers.Sender.Serializer(packet, buffer);
        Assert.Equal(buffer.WrittenCount, PacketMarshallers.Sender.Size(packet));
        return buffer.WrittenSpan.ToArray();
    }

    private static ReceiverPacket Read(ReadOnlySequence<byte> data) => PacketMarshallers.Receiver.Deserializer(data);

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, long index)
        {
            Memory = bytes;
            RunningIndex = index;
        }

        public Segment Append(byte[] bytes)
        {
            var next = new Segment(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
