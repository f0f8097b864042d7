using System.Formats.Tar;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>The same context sent by docker buildx and by us: the files of <c>COPY . /</c> are the same in content, mode, owner, times, links and xattrs.</summary>
public sealed class ContextParityTests
{
    private const int Files = 10_000;

    private const string DockerIgnore = """
        # comments, blank lines and trailing blanks are allowed

        **/*.log
        !keep/**/*.log
        excluded-dir
        !excluded-dir/but-this
        deep/**/cache/
        */temp?
        **/node_modules
        [x-z]-file
        /rooted
        .git
        !**/README.md
        """;

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    public async Task CopyGivesWhatBuildxGives(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        await TestEngines.GetProgramAsync("buildx");
        using var context = new BuildContextDirectory();
        var hasXattrs = Fill(context);
        using var outputs = new BuildContextDirectory();
        var theirs = outputs.At("theirs.tar");
        var ours = outputs.At("ours.tar");

        (await engine.DockerAsync("buildx", "build", "--no-cache", "--output", $"type=tar,dest={theirs}", context.Path)).OutputOrThrow();
        await using var connection = await EngineConnection.ConnectAsync(engine);
        var request = new SolveRequest { Context = context.Path, NoCache = true, Outputs = [new SolveOutput { Type = "tar", Destination = ours }] };
        await SolveOperation.RunAsync(connection, request, null, default);

        var expected = await ReadAsync(theirs);
        Assert.InRange(expected.Count, Files / 2, Files * 2);
        Assert.Equal(expected, await ReadAsync(ours));
        Assert.Equal(hasXattrs, expected.Any(entry => entry.Contains("SCHILY.xattr.user.note", StringComparison.Ordinal)));
    }

    /// <summary>Fills a context, and tells whether its file system has user xattrs, of which one file then has one.</summary>
    private static bool Fill(BuildContextDirectory context)
    {
        context.Write("Dockerfile", "FROM scratch\nCOPY . /\n").Write(".dockerignore", DockerIgnore);
        string[] directories =
        [
            "a", "a/b", "a/temp1", "keep/x/y", "excluded-dir", "excluded-dir/but-this", "deep/1/2/cache", "deep/cache", "node_modules/p", "p/node_modules/q", ".git/objects",
            "unicode/grüße", "unicode/日本語", "spaces in/it", "rooted/below", "nested/rooted", "temps/temp", "a-b", "a.b", "a/b.c", "percent%41",
        ];
        string[] names = ["x.log", "README.md", "x-file", "y-file", "w-file", "temp1", "temporary", "name with spaces", "emoji-🚀", "tab\tname", "semi;colon", "back\\slash", "-dash", "file"];
        var random = new Random(1);
        for (var i = 0; i < Files; i++)
        {
            var directory = $"{directories[i % directories.Length]}/{(i / directories.Length) % 20}";
            var path = context.At($"{directory}/{names[random.Next(names.Length)]}{(i % 3 == 0 ? "" : $"-{i}")}");
            File.WriteAllText(path, $"content {i}");
            if (i % 7 == 0)
                Native("chmod", Convert.ToString((i % 512) | 256, 8), path);
            if (i % 11 == 0)
                File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(1_000_000_000 + i).AddTicks(1_234_567));
        }

        File.CreateSymbolicLink(context.At("links/relative"), "../a/b");
        File.CreateSymbolicLink(context.At("links/absolute"), "/etc/hostname");
        File.CreateSymbolicLink(context.At("links/dangling"), "nowhere");
        File.CreateSymbolicLink(context.At("links/loop"), "loop");
        File.CreateSymbolicLink(context.At("links/directory"), "..");
        context.Write("hard/one", "linked");
        Native("ln", context.At("hard/one"), context.At("hard/two"));
        Native("ln", context.At("hard/one"), context.At("a/hard-three"));
        context.Write("special/setuid", "s");
        Native("chmod", "6755", context.At("special/setuid"));
        Directory.CreateDirectory(context.At("special/sticky/"));
        Native("chmod", "1777", context.At("special/sticky"));
        Directory.CreateDirectory(context.At("empty-directory/inner/"));
        Native("mkfifo", context.At("special/fifo"));
        context.Write("special/empty", "");
        var value = "x\0y"u8.ToArray();
        return SetXattr(context.At("special/empty"), "user.note", value, value.Length, 0) == 0;
    }

    [DllImport("libc", EntryPoint = "setxattr", CharSet = CharSet.Ansi)]
    private static extern int SetXattr([MarshalAs(UnmanagedType.LPUTF8Str)] string path, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, byte[] value, nint size, int flags);

    private static void Native(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static async Task<List<string>> ReadAsync(string path)
    {
        var entries = new List<string>();
        using var reader = new TarReader(File.OpenRead(path));
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            var hash = entry.DataStream is null ? "" : Convert.ToHexString(await SHA256.HashDataAsync(entry.DataStream));
            var extended = entry is PaxTarEntry pax
                ? string.Join(';', pax.ExtendedAttributes.Where(pair => pair.Key is not ("atime" or "ctime")).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"))
                : "";
            // A directory that COPY had to make has the time of the build.
            var time = entry.EntryType == TarEntryType.Directory && entry.ModificationTime > DateTimeOffset.UtcNow.AddMinutes(-30) ? "" : entry.ModificationTime.ToString("O");
            if (time.Length == 0)
                extended = "";
            entries.Add($"{entry.Name}|{entry.EntryType}|{entry.Mode}|{entry.Uid}:{entry.Gid}|{time}|{entry.LinkName}|{hash}|{extended}");
        }
        entries.Sort(StringComparer.Ordinal);
        return entries;
    }
}
