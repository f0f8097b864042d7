using System.Diagnostics;
using System.Security.Cryptography;
using BuildKit.Builders;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Protocol.Llb;
using BuildKit.Solve;
using BuildKit.Solve.Planning;
using Google.Protobuf;

namespace BuildKit.Diagnosis;

/// <summary>
/// The smallest build that needs all of a daemon's storage: a file, and above it a layer that deletes it and writes another, for which the first is mounted below the second.
/// It needs neither an image nor a session. Its two records stay in the build cache; it is internal, so that the history does not know it.
/// </summary>
/// <param name="Duration">How long it took.</param>
/// <param name="Skew">How far the daemon's clock is ahead of ours, or behind where it is negative; zero where none is seen, null where the daemon told no time.</param>
/// <param name="Uncertainty">How exactly that is known.</param>
internal sealed record TrialBuild(TimeSpan Duration, TimeSpan? Skew, TimeSpan Uncertainty)
{
    private const long None = -1;

    /// <summary>Builds.</summary>
    /// <exception cref="BuildKitException">The daemon failed, or the connection broke.</exception>
    public static async Task<TrialBuild> RunAsync(BuildKitConnection connection, CancellationToken cancellationToken)
    {
        var message = new Protocol.Control.SolveRequest { Ref = Identifier.New(), Definition = Define(), Internal = true, Cache = new CacheOptions() };
        var control = new ControlClient(connection.Invoker);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = Stopwatch.StartNew();
        var sent = DateTimeOffset.UtcNow;
        var times = WatchAsync(control, message.Ref, stop.Token);
        try
        {
            await control.SolveAsync(message, cancellationToken).ConfigureAwait(false);
            var duration = watch.Elapsed;
            var started = await times.ConfigureAwait(false);
            return new TrialBuild(duration, started is { } time ? SkewOf(time.Told, sent, time.Heard) : null, started is { } seen ? seen.Heard - sent : TimeSpan.Zero);
        }
        catch (RpcException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw SolveErrorReader.Read(e, new SolveJournal(), message.Ref, connection.Name, SolveDaemon.StoreOf(connection));
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)times).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>What a time between two of ours tells: nothing, as long as it is between them.</summary>
    internal static TimeSpan SkewOf(DateTimeOffset told, DateTimeOffset sent, DateTimeOffset heard) =>
        told < sent ? told - sent : told > heard ? told - heard : TimeSpan.Zero;

    /// <summary>The daemon's own time of a step, and ours when we heard of it.</summary>
    private static async Task<(DateTimeOffset Told, DateTimeOffset Heard)?> WatchAsync(ControlClient control, string solveRef, CancellationToken cancellationToken)
    {
        using var call = control.Status(solveRef, cancellationToken);
        (DateTimeOffset, DateTimeOffset)? first = null;
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            var started = call.ResponseStream.Current.Vertexes.FirstOrDefault(vertex => vertex.Started is not null)?.Started;
            first ??= started is null ? null : (started.ToDateTimeOffset(), DateTimeOffset.UtcNow);
        }
        return first;
    }

    private static Definition Define()
    {
        var below = new Op
        {
            File = new FileOp { Actions = { new FileAction { Input = None, SecondaryInput = None, Output = 0, Mkfile = File("/below") } } },
        }.ToByteString();
        var above = new Op
        {
            Inputs = { InputOf(below) },
            File = new FileOp
            {
                Actions =
                {
                    new FileAction { Input = 0, SecondaryInput = None, Output = None, Rm = new FileActionRm { Path = "/below" } },
                    new FileAction { Input = 1, SecondaryInput = None, Output = 0, Mkfile = File("/above") },
                },
            },
        }.ToByteString();
        return new Definition { Def = { below, above, new Op { Inputs = { InputOf(above) } }.ToByteString() } };
    }

    private static FileActionMkFile File(string path) => new() { Path = path, Mode = 0b110_100_100, Data = ByteString.CopyFromUtf8("BuildKit.Doctor\n") };

    private static Input InputOf(ByteString op) => new() { Digest = "sha256:" + Convert.ToHexString(SHA256.HashData(op.Span)).ToLowerInvariant() };
}
