using System.Text;
using BuildKit.Session.FileSync.Walk;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

/// <summary>What is said of files of every kind.</summary>
public sealed class FileStatTests : IDisposable
{
    private readonly TempTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [SkippableFact]
    public void Modes_are_those_of_Go()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.File("file", "12345").Dir("dir").Symlink("link", "no/where").Fifo("pipe").Socket("socket");
        _tree.Mode("file", 0b111_111_101_000);
        _tree.Mode("dir", 0b111_101_101);
        Assert.Equal(1u << 23 | 1u << 22 | 1u << 20 | 0b111_101_000u, Stat("file").Mode);
        Assert.Equal(5, Stat("file").Size);
        Assert.Equal((1u << 31 | 0b111_101_101u, 0L), (Stat("dir").Mode, Stat("dir").Size));
        Assert.Equal((1u << 27 | 0b111_111_111u, 8L, "no/where"), (Stat("link").Mode, Stat("link").Size, Link("link")));
        Assert.Equal(1u << 25 | 0b110_100_100u, Stat("pipe").Mode);
        Assert.False(Stat("pipe").HasContent);
        // A socket is sent as an empty regular file.
        Assert.True(Stat("socket") is { IsSocket: true, HasContent: true, Size: 0 });
    }

    [SkippableFact]
    public void Devices_have_their_numbers()
    {
        Skip.IfNot(LinuxNative.IsSupported && _tree.TryMakeDevice("char", true, 5, 1) && _tree.TryMakeDevice("block", false, 259, 70000));
        Assert.Equal((1u << 26 | 1u << 21 | 0b110_100_100u, 5L, 1L), (Stat("char").Mode, Stat("char").DevMajor, Stat("char").DevMinor));
        Assert.Equal((1u << 26 | 0b110_100_100u, 259L, 70000L), (Stat("block").Mode, Stat("block").DevMajor, Stat("block").DevMinor));
    }

    [Fact]
    public void Times_are_nanoseconds_also_before_1970()
    {
        _tree.Files("old", "new");
        File.SetLastWriteTimeUtc(_tree.Full("old"), new DateTime(1969, 12, 31, 23, 59, 58, 500, DateTimeKind.Utc));
        File.SetLastWriteTimeUtc(_tree.Full("new"), new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1234567));
        foreach (var tree in Both())
        {
            Assert.Equal(-1_500_000_000, Stat("old", tree).ModTime);
            Assert.Equal((1704164645L * 1_000_000_000) + 123456700, Stat("new", tree).ModTime);
        }
    }

    [SkippableFact]
    public void Extended_attributes_of_any_length_are_read()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.Files("a", "b");
        var large = new byte[3000];
        Random.Shared.NextBytes(large);
        Skip.IfNot(_tree.TrySetXattr("a", "trusted.large", large) || _tree.TrySetXattr("a", "user.large", large), "no extended attributes here");
        var prefix = _tree.TrySetXattr("a", "user.empty", []) ? "user." : "trusted.";
        _tree.TrySetXattr("a", prefix + "empty", []);
        for (var i = 0; i < 20; i++)
            Assert.True(_tree.TrySetXattr("a", $"{prefix}a-name-that-is-long-{i}", [(byte)i]));

        var xattrs = Stat("a").Xattrs.ToDictionary(pair => Encoding.UTF8.GetString(pair.Key), pair => pair.Value);
        // Others, such as those of SELinux, may be there as well.
        Assert.Equal(22, xattrs.Keys.Count(name => name.EndsWith(".large", StringComparison.Ordinal) || name.StartsWith(prefix, StringComparison.Ordinal)));
        Assert.Equal(large, xattrs.Single(pair => pair.Key.EndsWith(".large", StringComparison.Ordinal)).Value);
        Assert.Empty(xattrs[prefix + "empty"]);
        Assert.Equal([7], xattrs[$"{prefix}a-name-that-is-long-7"]);
        Assert.DoesNotContain(Stat("b").Xattrs, pair => pair.Key.AsSpan().StartsWith(Encoding.UTF8.GetBytes(prefix)));
    }

    [SkippableFact]
    public void The_second_name_of_a_file_is_a_link_to_the_first_that_is_sent()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.File("a/1", "content").HardLink("a/2", "a/1").Dir("b").HardLink("b/3", "a/1").Files("c");
        Assert.Equal(["a=", "a/1=", "a/2=a/1", "b=", "b/3=a/1", "c="], Links(""));
        Assert.Equal(["a=", "a/2=", "b=", "b/3=a/2", "c="], Links("a/1"));
        Assert.Equal(["b=", "b/3=", "c="], Links("a"));
    }

    [SkippableFact]
    public void A_second_name_of_a_symbolic_link_or_pipe_is_what_upstream_makes_of_it()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.Symlink("l1", "x").HardLink("l2", "l1").Fifo("p1").HardLink("p2", "p1");
        Assert.Equal(["l1=x", "l2=x", "p1=", "p2=p1"], Links(""));
    }

    [SkippableFact]
    public void Names_are_bytes()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.FileNamed([(byte)'a', 0xff, (byte)'b']);
        var tree = new LinuxFileTree(_tree.Root);
        using var walk = new FilteredWalk(tree, FileFilter.Create(tree, [], [], []));
        Assert.True(walk.MoveNext());
        Assert.Equal([(byte)'a', 0xff, (byte)'b'], walk.Current.Path.ToArray());
        using var reader = tree.CreateReader();
        reader.Open(walk.Current.Path.ToArray());
        Assert.Equal(0, reader.Read(new byte[1]));
    }

    [SkippableFact]
    public void The_portable_tree_says_the_same_of_what_it_knows()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.File("dir/file", "12345").Symlink("link", "dir/file").Symlink("broken", "no");
        _tree.Mode("dir/file", 0b100_110_100_100);
        foreach (var path in new[] { "dir", "dir/file", "link", "broken" })
        {
            var expected = Stat(path);
            var actual = Stat(path, new PortableFileTree(_tree.Root));
            Assert.Equal((expected.Mode, expected.Size, expected.ModTime / 100), (actual.Mode, actual.Size, actual.ModTime / 100));
            Assert.Equal(expected.LinkName.ToArray(), actual.LinkName.ToArray());
        }
    }

    [SkippableFact]
    public void Neither_tree_opens_what_would_never_end()
    {
        Skip.IfNot(LinuxNative.IsSupported);
        _tree.Fifo("pipe").Symlink("link", "pipe");
        foreach (var tree in Both())
        {
            using var reader = tree.CreateReader();
            reader.Open("pipe"u8.ToArray());
            Assert.Equal(0, reader.Read(new byte[1]));
            Assert.Throws<FileTreeException>(() => reader.Open("no"u8.ToArray()));
        }

        using var linux = new LinuxFileTree(_tree.Root).CreateReader();
        Assert.Throws<FileTreeException>(() => linux.Open("link"u8.ToArray()));
    }

    private FileTree[] Both() =>
        LinuxNative.IsSupported ? [new LinuxFileTree(_tree.Root), new PortableFileTree(_tree.Root)] : [new PortableFileTree(_tree.Root)];

    private FileStat Stat(string path, FileTree? tree = null)
    {
        var stat = new FileStat();
        Assert.True((tree ?? new LinuxFileTree(_tree.Root)).TryStat(Encoding.UTF8.GetBytes(path), stat));
        Assert.Equal(path, Encoding.UTF8.GetString(stat.Path));
        return stat;
    }

    private string Link(string path) => Encoding.UTF8.GetString(Stat(path).LinkName);

    private List<string> Links(string exclude)
    {
        var result = new List<string>();
        var tree = new LinuxFileTree(_tree.Root);
        using var walk = new FilteredWalk(tree, FileFilter.Create(tree, [], exclude.Length > 0 ? [Encoding.UTF8.GetBytes(exclude)] : [], []));
        while (walk.MoveNext())
            result.Add($"{Encoding.UTF8.GetString(walk.Current.Path)}={Encoding.UTF8.GetString(walk.Current.LinkName)}");
        return result;
    }
}
