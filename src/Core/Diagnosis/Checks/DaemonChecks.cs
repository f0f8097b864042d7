using BuildKit.Builders;
using BuildKit.Grpc;
using BuildKit.Protocol.Control;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Gateway;

namespace BuildKit.Diagnosis.Checks;

/// <summary>What the daemon is, and what it can do.</summary>
internal static class DaemonChecks
{
    // Docker Engine 24, the first in which it is offered to everybody.
    private static readonly Version FirstContainerdStore = new(1, 43);

    public static async Task<Finding> EngineApiAsync(Subject subject, CancellationToken cancellationToken)
    {
        if (subject.Connection!.Engine is not { } engine)
            return Finding.Skip("A standalone buildkitd has no Engine API.");
        var version = await engine.System.GetVersionAsync(cancellationToken).ConfigureAwait(false);
        var info = await engine.System.GetSystemInfoAsync(cancellationToken).ConfigureAwait(false);
        subject.Engine = info;
        var range = version.MinAPIVersion is { Length: > 0 } oldest ? $"{oldest} to {version.ApiVersion}" : version.ApiVersion;
        var warnings = info.Warnings is { Count: > 0 } words ? $" It warns: {string.Join("; ", words.Select(Plain))}." : string.Empty;
        return Finding.Pass($"Docker Engine {version.Version}, API {range}, {version.Os}/{version.Arch} on {info.OperatingSystem}.{warnings}");
    }

    public static async Task<Finding> BuildKitAsync(Subject subject, CancellationToken cancellationToken)
    {
        var connection = subject.Connection!;
        var server = await connection.GetServerAsync(cancellationToken).ConfigureAwait(false);
        var caps = await GatewayCaps.GetAsync(connection, cancellationToken).ConfigureAwait(false);
        var name = server.Version is null or "v0.0.0+unknown" ? "Its BuildKit does not tell its version. It" : $"BuildKit {server.Version}";
        var keepsHistory = await KeepsHistoryAsync(connection, cancellationToken).ConfigureAwait(false);
        var lookup = CapabilityTable.Rows.ToLookup(row => row == CapabilityTable.History ? keepsHistory : caps.Supports(row.Id));
        // What only the other store brings is that check's to recommend.
        var byStore = lookup[false].Where(row => row.NeedsContainerdStore && connection.ImageStore == BuildKitImageStore.Graphdriver).ToList();
        var missing = lookup[false].Except(byStore).ToList();
        var has = lookup[true].Select(row => row.Gives).ToList();
        var told = $"{name} has {caps.Llb.Count + caps.Frontend.Count} capabilities"
            + (has.Count > 0 ? $", among them {string.Join(", ", has)}" : string.Empty)
            + (byStore.Count > 0 ? $"; with this image store not {string.Join(", ", byStore.Select(row => row.Gives))}" : string.Empty);
        if (missing.Count == 0)
            return Finding.Pass($"{told}.");
        var lacks = missing.GroupBy(row => row.Since).Select(rows => $"{string.Join(", ", rows.Select(row => row.Gives))} ({rows.Key})");
        return Finding.Warning(
            $"{told}. It lacks {string.Join("; ", lacks)}.",
            connection.Kind == BuildKitServerKind.Buildkitd ? "Update buildkitd, if you need one of these." : "Update the Docker Engine, if you need one of these.");
    }

    public static Task<Finding> ImageStoreAsync(Subject subject, CancellationToken cancellationToken) => Task.FromResult(subject.Connection!.ImageStore switch
    {
        BuildKitImageStore.Graphdriver => Finding.Warning(
            "The Engine keeps images in its classic store, which holds one platform an image. Attestations, image archives (type=oci, type=docker with a file), push by digest "
            + "and most cache exports can't be had.",
            SeveralExports.IsOlder(subject.Connection.ApiVersion, FirstContainerdStore)
                ? "Update the Docker Engine: from version 24 on it has the containerd image store as well. Or build with a standalone buildkitd."
                : $"{ExporterTable.ContainerdStoreWayOut} Images of the classic store are not seen in the other one."),
        BuildKitImageStore.Containerd => Finding.Pass(
            "The Engine keeps images in the containerd store: several platforms, attestations, archives and pushes can be had, and a build is among its images at once."),
        _ => Finding.Pass("This buildkitd keeps no images: a build ends in a registry (-Push), in a file or folder (-Output), or in a Docker Engine beside it (-Load)."),
    });

    /// <summary>Whether the daemon keeps records of builds: 0.11 came with them.</summary>
    private static async Task<bool> KeepsHistoryAsync(BuildKitConnection connection, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            using var call = new ControlClient(connection.Invoker).ListenBuildHistory(new BuildHistoryRequest { EarlyExit = true }, enough.Token);
            await call.ResponseStream.MoveNext(enough.Token).ConfigureAwait(false);
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
        {
            return false;
        }
        finally
        {
            // The records may be many; that the first one comes is enough.
            await enough.CancelAsync().ConfigureAwait(false);
        }
    }

    private static string Plain(string warning) => warning.StartsWith("WARNING: ", StringComparison.Ordinal) ? warning["WARNING: ".Length..].TrimEnd('.') : warning.TrimEnd('.');
}
