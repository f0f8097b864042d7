using System.Text;
using BuildKit.Session.FileSync.Walk;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

/// <summary>What a walk gives, by either implementation.</summary>
public sealed class WalkTests : IDisposable
{
    private readonly TempTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void Directories_come_before_what_is_in_them_and_names_in_the_order_of_their_bytes()
    {
        _tree.Files("a/x", "a-b", "a.b/y", "B", "é", "longer-name-2", "longer-name-10", "z\u0001");
        foreach (var tree in Both())
            Assert.Equal("B|a|a/x|a-b|a.b|a.b/y|longer-name-10|longer-name-2|z\u0001|é", string.Join('|', Walk(tree)));
    }

    [Theory]
    [InlineData("", "node_modules", "a|a/keep.js|b.txt|docs|docs/README.md|docs/guide.md")]
    [InlineData("", "docs !docs/README.md", "a|a/keep.js|a/node_modules|a/node_modules/x|b.txt|docs|docs/README.md|node_modules|node_modules/y")]
    [InlineData("", "**/node_modules docs", "a|a/keep.js|b.txt")]
    [InlineData("", "* !*/README.md", "docs|docs/README.md")]
    [InlineData("", "* !b.txt", "b.txt")]
    [InlineData("", "** !a/node_modules/x", "a|a/node_modules|a/node_modules/x")]
    [InlineData("docs", "", "docs|docs/README.md|docs/guide.md")]
    [InlineData("a/node_modules/x", "", "a|a/node_modules|a/node_modules/x")]
    [InlineData("**/*.md", "", "docs|docs/README.md|docs/guide.md")]
    [InlineData("a docs", "a/node_modules **/guide.md", "a|a/keep.js|docs|docs/README.md")]
    [InlineData("docs !docs/guide.md", "", "docs|docs/README.md")]
    [InlineData("nowhere", "", "")]
    public void Patterns_keep_and_leave_out(string include, string exclude, string expected)
    {
        _tree.Files("a/keep.js", "a/node_modules/x", "b.txt", "docs/README.md", "docs/guide.md", "node_modules/y");
        if (exclude == "node_modules")
            expected = expected.Replace("a/keep.js", "a/keep.js|a/node_modules|a/node_modules/x", StringComparison.Ordinal);
        foreach (var tree in Both())
            Assert.Equal(expected, string.Join('|', Walk(tree, include, exclude)));
    }

    [Fact]
    public void Only_directories_that_can_hold_something_are_looked_into()
    {
        _tree.Files("a/b/c", "ab/x", "d/e");
        var tree = new CountingTree(new PortableFileTree(_tree.Root));
        Assert.Equal(["a", "a/b", "a/b/c"], Walk(tree, "a/b/c"));
        Assert.Equal(["", "a", "a/b"], tree.Listed);

        tree.Listed.Clear();
        Assert.Equal(["d", "d/e"], Walk(tree, exclude: "a* d !d/e"));
        Assert.Equal(["", "d"], tree.Listed);

        // A wildcard in an exception could match anywhere.
        tree.Listed.Clear();
        Assert.Equal(["d", "d/e"], Walk(tree, exclude: "* !d/*[e]"));
        Assert.Equal(["", "a", "a/b", "ab", "d"], tree.Listed);
    }

    [Fact]
    public void What_vanishes_during_the_walk_is_left_out_alone()
    {
        _tree.Files("a/1", "b", "c/2", "d");
        var tree = new CountingTree(new PortableFileTree(_tree.Root));
        using var walk = new FilteredWalk(tree, Filter(tree));
        Assert.True(walk.MoveNext());
        File.Delete(_tree.Full("b"));
        Directory.Delete(_tree.Full("a"), recursive: true);
        var rest = new List<string>();
        while (walk.MoveNext())
            rest.Add(Encoding.UTF8.GetString(walk.Current.Path));
        Assert.Equal(["c", "c/2", "d"], rest);
    }

    [Fact]
    public void A_missing_root_is_an_error()
    {
        foreach (var tree in new FileTree[] { new PortableFileTree(_tree.Full("no")), new LinuxFileTree(_tree.Full("no")) })
            if (LinuxNative.IsSupported || tree is PortableFileTree)
                Assert.Throws<FileTreeException>(() => Walk(tree));
    }

    [Fact]
    public void A_deep_tree_is_walked()
    {
        var path = string.Join('/', Enumerable.Range(0, 120).Select(i => $"directory-{i}"));
        _tree.Files(path + "/file");
        foreach (var tree in Both())
            Assert.Equal(121, Walk(tree).Count);
    }

    [SkippableFact]
    public void A_root_may_be_a_symbolic_link()
    {
        Skip.If(OperatingSystem.IsWindows());
        _tree.Files("real/x").Symlink("link", "real");
        Assert.Equal(["x"], Walk(new PortableFileTree(_tree.Full("link"))));
        if (LinuxNative.IsSupported)
            Assert.Equal(["x"], Walk(new LinuxFileTree(_tree.Full("link"))));
    }

    [Theory]
    [InlineData("l2 bar", "bar dir/foo dir/l1 l2")]
    [InlineData("loop1 loop3", "loop1 loop2 loop3")]
    [InlineData("abs", "abs baz up/bar")]
    [InlineData("nowhere/bar nowhere", "nowhere")]
    [InlineData("f*/foo/t*", "f*/foo/t*")]
    [InlineData(".", null)]
    [InlineData("toroot dir", null)]
    [InlineData("dir/l*", "dir/foo dir/l*")]
    [InlineData("dir dir/l*", "dir")]
    [InlineData("/dir/../bar", "bar")]
    [InlineData("outside", "etc/passwd outside")]
    [InlineData("../x ../*", "../* ../x")]
    public void Followed_paths_bring_their_targets(string paths, string? expected)
    {
        _tree.Files("dir/foo", "bar", "baz").Symlink("dir/l1", "foo").Symlink("l2", "dir/l1").Symlink("loop1", "loop1").Symlink("loop2", "loop3")
            .Symlink("loop3", "loop2").Symlink("up/bar", "../../../").Symlink("abs", "/up/bar/baz").Symlink("toroot", "/")
            .Symlink("outside", "../../../etc/passwd");
        foreach (var tree in Both())
        {
            var resolved = FollowPaths.Resolve(tree, paths.Split(' ').Select(Encoding.UTF8.GetBytes));
            Assert.Equal(expected, resolved is null ? null : string.Join(' ', resolved.Select(Encoding.UTF8.GetString)));
        }
    }

    [Fact]
    public void Followed_paths_add_to_what_is_included()
    {
        _tree.Files("dir/foo", "bar", "baz", "dir/other").Symlink("link", "dir/foo");
        foreach (var tree in Both())
        {
            Assert.Equal(["dir", "dir/foo", "link"], Walk(tree, follow: "link"));
            Assert.Equal(["bar", "dir", "dir/foo", "link"], Walk(tree, "bar", follow: "link"));
            Assert.Equal(["dir", "dir/foo"], Walk(tree, exclude: "link", follow: "link"));
            Assert.Equal(6, Walk(tree, follow: ".").Count);
        }
    }

    [Fact]
    public void Memory_files_are_a_tree_like_any_other()
    {
        var time = new DateTimeOffset(2024, 2, 3, 4, 5, 6, TimeSpan.Zero);
        var tree = new MemoryFileTree(new Dictionary<string, ReadOnlyMemory<byte>> { ["b"] = "two"u8.ToArray(), ["Dockerfile"] = "FROM x"u8.ToArray() }, time);
        Assert.Equal(["Dockerfile", "b"], Walk(tree));
        Assert.Equal(["Dockerfile"], Walk(tree, follow: "Dockerfile Dockerfile.dockerignore"));
        var stat = new FileStat();
        Assert.True(tree.TryStat("Dockerfile"u8, stat));
        Assert.Equal((0x1A4u, 6L, time.ToUnixTimeSeconds() * 1_000_000_000), (stat.Mode, stat.Size, stat.ModTime));
        Assert.False(tree.TryStat("c"u8, stat));
        using var reader = tree.CreateReader();
        Assert.Throws<FileTreeException>(() => reader.Open("c"u8.ToArray()));
        Assert.Throws<ArgumentException>(() => new MemoryFileTree(new Dictionary<string, ReadOnlyMemory<byte>> { ["a/b"] = default }, time));
    }

    private FileTree[] Both() =>
        LinuxNative.IsSupported ? [new LinuxFileTree(_tree.Root), new PortableFileTree(_tree.Root)] : [new PortableFileTree(_tree.Root)];

    private static FileFilter Filter(FileTree tree, string include = "", string exclude = "", string follow = "") =>
        FileFilter.Create(tree, Split(include), Split(exclude), Split(follow));

    private static byte[][] Split(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.UTF8.GetBytes)];

    private static List<string> Walk(FileTree tree, string include = "", string exclude = "", string follow = "")
    {
        var paths = new List<string>();
        using var walk = new FilteredWalk(tree, Filter(tree, include, exclude, follow));
        while (walk.MoveNext())
            paths.Add(Encoding.UTF8.GetString(walk.Current.Path));
        return paths;
    }

    private sealed class CountingTree(FileTree tree) : FileTree
    {
        public List<string> Listed { get; } = [];

        public override bool TryList(ReadOnlySpan<byte> path, DirectoryListing listing)
        {
            Listed.Add(Encoding.UTF8.GetString(path));
            return tree.TryList(path, listing);
        }

        public override bool TryStat(ReadOnlySpan<byte> path, FileStat stat) => tree.TryStat(path, stat);

        public override FileTreeReader CreateReader() => tree.CreateReader();

        public override string Display(ReadOnlySpan<byte> path) => tree.Display(path);
    }
}
