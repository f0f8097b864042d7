using System.Text;
using BuildKit.Session.FileSync.Walk;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

public sealed class PathTableTests
{
    [Fact]
    public void Paths_come_back_by_their_number_once()
    {
        var table = new PathTable();
        var expected = new Dictionary<int, (string Path, long Number)>();
        for (var i = 0; i < 1000; i++)
        {
            if (i % 7 == 3)
            {
                table.Skip();
                continue;
            }

            var path = $"dir-{i / 50}/{new string('x', i % 300)}é{i}";
            Assert.Equal(i, table.Add(Encoding.UTF8.GetBytes(path), (i * 1_000_003L) - 1));
            expected.Add(i, (path, (i * 1_000_003L) - 1));
        }

        var buffer = Array.Empty<byte>();
        foreach (var i in Enumerable.Range(0, 1000).OrderBy(i => i * 7919 % 1000))
        {
            var found = table.TryTake((uint)i, ref buffer, out var length, out var number);
            Assert.Equal(expected.TryGetValue(i, out var value), found);
            if (found)
                Assert.Equal(value, (Encoding.UTF8.GetString(buffer, 0, length), number));
            Assert.False(table.TryTake((uint)i, ref buffer, out _, out _));
        }

        Assert.False(table.TryTake(1000, ref buffer, out _, out _));
        Assert.False(table.TryTake(uint.MaxValue, ref buffer, out _, out _));
    }

    [Fact]
    public void A_hundred_thousand_paths_take_little_memory()
    {
        var paths = Enumerable.Range(0, 100_000).Select(i => Encoding.UTF8.GetBytes($"some/directory/{i / 100:D4}/file-{i:D6}.txt")).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var table = new PathTable();
        foreach (var path in paths)
            table.Add(path, 4096);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_500_000);
    }
}
