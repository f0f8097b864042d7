using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>Contexts that come as a stream.</summary>
public sealed class ContextArchiveTests
{
    private static MemoryStream Tar(TarEntryFormat format, params (string Name, string Text)[] files)
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, format, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                var data = new MemoryStream(Encoding.UTF8.GetBytes(text));
                TarEntry entry = format switch
                {
                    TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                    _ => new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = data },
                };
                writer.WriteEntry(entry);
            }
        }
        tar.Position = 0;
        return tar;
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AnArchiveIsAContext(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        // .NET begins every archive with PAX headers, in which the daemon alone would see no archive; a long name makes GNU's do the same.
        foreach (var format in new[] { TarEntryFormat.Pax, TarEntryFormat.Gnu, TarEntryFormat.Ustar })
        {
            var name = format == TarEntryFormat.Ustar ? "first" : $"{new string('d', 60)}/{new string('f', 60)}";
            await using var tar = new TricklingStream(Tar(format, (name, $"{kind} {format}"), ("Dockerfile", $"FROM scratch\nCOPY {name} /greeting\n")));

            var files = await EngineConnection.FilesAsync(engine, new SolveRequest { ContextArchive = tar });

            Assert.Equal(new Dictionary<string, string> { ["greeting"] = $"{kind} {format}" }, files);
            Assert.False(tar.IsDisposed);
        }
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task TheDockerfileIsInTheArchiveOrBesideIt(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var outside = new BuildContextDirectory().Write("Other.Dockerfile", "FROM scratch\nCOPY f /outside\n");
        var unique = Guid.NewGuid().ToString();

        Assert.Equal(["inside"], (await EngineConnection.FilesAsync(engine, new SolveRequest { ContextArchive = Compressed(), Dockerfile = "sub/My.Dockerfile" })).Keys);
        Assert.Equal(["text"], (await EngineConnection.FilesAsync(engine, new SolveRequest { ContextArchive = Compressed(), DockerfileText = "FROM scratch\nCOPY f /text\n" })).Keys);
        Assert.Equal(["outside"], (await EngineConnection.FilesAsync(engine, new SolveRequest { ContextArchive = Compressed(), Dockerfile = outside.At("Other.Dockerfile") })).Keys);

        Stream Compressed()
        {
            var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
                Tar(TarEntryFormat.Pax, ("f", unique), ("sub/My.Dockerfile", "FROM scratch\nCOPY f /inside\n")).CopyTo(gzip);
            compressed.Position = 0;
            return compressed;
        }
    }

    [SkippableFact]
    public async Task TextIsADockerfileWithoutAContext()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var text = new MemoryStream(Encoding.UTF8.GetBytes($"FROM {engine.BaseImage} AS build\nRUN echo -n ü > /t # {new string('x', 3000)}\nFROM scratch\nCOPY --from=build /t /t\n"));
        Assert.Equal("ü", (await EngineConnection.FilesAsync(engine, new SolveRequest { ContextArchive = text }))["t"]);
    }

    [SkippableFact]
    public async Task AStreamThatBreaksIsNamed()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var broken = new TricklingStream(Tar(TarEntryFormat.Ustar, ("big", new string('x', 100_000)), ("Dockerfile", "FROM scratch\n"))) { FailsAt = 50_000 };
        var failure = await EngineConnection.FailAsync(engine, new SolveRequest { ContextArchive = broken });
        Assert.Equal("BuildKit.ContextUnreadable", failure.ErrorId);
        Assert.Contains("the pipe broke", failure.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task AStreamThatStandsStillDoesNotHoldUpCancelling(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        await using var still = new TricklingStream(Tar(TarEntryFormat.Ustar, ("big", new string('x', 100_000)))) { StandsStillAt = 50_000 };
        await using var connection = await EngineConnection.ConnectAsync(engine);
        using var stop = new CancellationTokenSource();
        var solve = SolveOperation.RunAsync(connection, new SolveRequest { ContextArchive = still }, null, stop.Token);
        await still.StandingStill.WaitAsync(Poll.Patience);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => solve.WaitAsync(Poll.Patience));
    }

    [SkippableFact]
    public async Task WhatIsNoArchiveIsRefusedBeforeTheBuild()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        byte[] zip = [0x50, 0x4B, 3, 4, .. new byte[2000]];
        byte[] zstd = [0x28, 0xB5, 0x2F, 0xFD, .. new byte[2000]];
        Assert.Equal("BuildKit.InvalidContextArchive", await Fails(zip));
        Assert.Equal("BuildKit.InvalidContextArchive", await Fails(zstd));
        Assert.Equal("BuildKit.InvalidContextArchive", await Fails([]));
        Assert.Equal("BuildKit.InvalidContextArchive", await Fails(new byte[10240]));
        Assert.Equal("BuildKit.InvalidContextArchive", await Fails("FROM scratch\n"u8.ToArray(), new SolveRequest { DockerfileText = "FROM scratch\n" }));
        Assert.Equal("BuildKit.InvalidContextArchive", await Fails(zip, new SolveRequest { Context = "/" }));

        async Task<string> Fails(byte[] bytes, SolveRequest? request = null) =>
            (await EngineConnection.FailAsync(engine, (request ?? new SolveRequest()) with { ContextArchive = new MemoryStream(bytes) })).ErrorId;
    }

    /// <summary>A stream like a pipe: it can't seek, gives a few bytes at a time, and may break or stand still.</summary>
    private sealed class TricklingStream(MemoryStream inner) : Stream
    {
        private readonly TaskCompletionSource _standing = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long FailsAt { get; init; } = long.MaxValue;

        public long StandsStillAt { get; init; } = long.MaxValue;

        public Task StandingStill => _standing.Task;

        public bool IsDisposed { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (inner.Position >= FailsAt)
                throw new IOException("the pipe broke");
            if (inner.Position >= StandsStillAt)
            {
                _standing.TrySetResult();
                // Cancelling it is not possible, as with a console's stream.
                await new TaskCompletionSource().Task;
            }
            return await inner.ReadAsync(buffer[..Math.Min(buffer.Length, 3001)], cancellationToken);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
