using System.Diagnostics;
using System.Net;
using BuildKit.Builders;
using BuildKit.Builders.Drivers;
using BuildKit.Docker;

namespace BuildKit.Diagnosis.Checks;

/// <summary>Whether a node runs, what it is made of, and whether it answers.</summary>
internal static class NodeChecks
{
    public static async Task<Finding> NodeStatusAsync(Subject subject, CancellationToken cancellationToken)
    {
        if (subject.Request.Connection is not null)
            return Finding.Skip("The connection is open already.");
        if (subject.Node!.Endpoint.Boot is not { } boot)
            return Finding.Skip("This daemon is somebody else's to start and stop.");
        var status = await boot.GetStatusAsync(cancellationToken).ConfigureAwait(false);
        var start = $"'Start-BuildKitBuilder {subject.Target!.Name}' starts it beforehand.";
        return status switch
        {
            BuildKitNodeStatus.Running => Finding.Pass("It runs."),
            BuildKitNodeStatus.Inactive => NotRunning("It was not created yet: the first build creates and starts it."),
            BuildKitNodeStatus.Stopped => NotRunning("It does not run: the next build starts it."),
            BuildKitNodeStatus.Starting or BuildKitNodeStatus.Stopping => NotRunning($"It is {status.ToString().ToLowerInvariant()}."),
            BuildKitNodeStatus.Error => Finding.Fail(
                "It can't be asked, or what runs it is gone.", "Look at the builder's container and its Engine, or remove the builder and make it anew."),
            _ => Finding.Skip("It is not known whether it runs."),
        };

        Finding NotRunning(string detail) => Finding.Warning(detail, start) with { Obstacle = "the node does not run, and this starts nothing." };
    }

    public static async Task<Finding> BuilderImageAsync(Subject subject, CancellationToken cancellationToken)
    {
        var endpoint = subject.Endpoint;
        if (endpoint.Scheme != "docker-container" || subject.Node!.Node is not { } node)
            return Finding.Skip("Only builders that are made as a container need an image.");
        var image = node.DriverOptions.GetValueOrDefault("image", DockerContainerOptions.DefaultImage);
        var engine = endpoint.Engine
            ?? await new EndpointResolver(subject.Request.Variable, File.Exists).ResolveEngineAsync(endpoint.EngineContext, cancellationToken).ConfigureAwait(false);
        using var transport = await engine.CreateTransportAsync(cancellationToken).ConfigureAwait(false);
        using var client = new DockerEngineClient(transport, engine.HttpHeaders);
        try
        {
            var found = await client.Images.InspectImageAsync(image, cancellationToken).ConfigureAwait(false);
            return Finding.Pass($"'{image}' is on the Engine at {engine} ({found.Os}/{found.Architecture}, {found.ID}).");
        }
        catch (DockerApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return subject.Findings["NodeStatus"].Status == BuildKitCheckStatus.Pass
                ? Finding.Pass($"'{image}' is not on the Engine at {engine} any more; the container that was made of it runs without.")
                : Finding.Warning(
                    $"'{image}' is not on the Engine at {engine}: the first build pulls it.",
                    $"Where its registry can't be reached, pull it beforehand (docker pull {image}) or create the builder with the driver option image=….",
                    "BuildKit.ImageNotFound");
        }
    }

    public static async Task<Finding> ConnectionAsync(Subject subject, CancellationToken cancellationToken)
    {
        if (subject.Findings["NodeStatus"] is { Status: not BuildKitCheckStatus.Skipped, Obstacle: { } obstacle })
            return Finding.Blocked(obstacle);
        var watch = Stopwatch.StartNew();
        if (subject.Request.Connection is { } open)
        {
            await open.GetWorkersAsync(cancellationToken).ConfigureAwait(false);
            subject.Connection = open;
            return Finding.Pass($"{open.Endpoint} is connected to and answers in {Text.Time(watch.Elapsed)}: {Describe(open)}");
        }
        var connection = await BuildKitConnection.ConnectAsync(subject.Endpoint, cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
        {
            // Nobody waits for it any more, and so nobody would close it.
            await connection.DisposeAsync().ConfigureAwait(false);
            throw new OperationCanceledException(cancellationToken);
        }
        subject.Connection = connection;
        return Finding.Pass($"{connection.Endpoint} answered within {Text.Time(watch.Elapsed)}: {Describe(connection)}");
    }

    private static string Describe(BuildKitConnection connection)
    {
        var who = connection.Kind == BuildKitServerKind.Buildkitd ? "a buildkitd" : $"Docker Engine {connection.EngineVersion}".TrimEnd();
        var how = connection.Route == GrpcRoute.Direct ? "directly by HTTP/2" : "through its POST /grpc";
        var by = connection.Endpoint switch
        {
            { Program: { } program } => $", by the program '{program.FileName}'",
            { Scheme: "docker-container" } => ", by 'buildctl dial-stdio' in its container",
            { Tls: not null } => ", by TLS",
            _ => string.Empty,
        };
        return $"{who}, spoken to {how}{by}.";
    }
}
