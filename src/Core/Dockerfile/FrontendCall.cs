using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BuildKit.Builders;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Solve;
using BuildKit.Solve.Gateway;
using BuildKit.Solve.Planning;
using Google.Protobuf;
using Wire = BuildKit.Protocol.Gateway;

namespace BuildKit.Dockerfile;

/// <summary>Asks the frontend of a build for something other than the build, with the same inputs (docker/buildx build/build.go).</summary>
internal static class FrontendCall
{
    private const string AnswerKey = "result.json";
    private const string CapsKey = "frontend.caps";

    // "+forward" lets a frontend that does not know the capability hand over to the one that the Dockerfile names as its syntax.
    private const string SubrequestsCap = "moby.buildkit.frontend.subrequests+forward";

    /// <summary>Asks, and reads the answer.</summary>
    /// <typeparam name="TJson">The answer's form.</typeparam>
    /// <typeparam name="T">What is made of it.</typeparam>
    /// <param name="connection">The daemon.</param>
    /// <param name="request">The build.</param>
    /// <param name="asked">What to ask for.</param>
    /// <param name="form">How the answer is read.</param>
    /// <param name="read">Makes something of the answer.</param>
    /// <param name="warnings">Is told what the user should know beforehand; null where nobody listens.</param>
    /// <param name="cancellationToken">Stops the call on the daemon too.</param>
    public static async Task<T> AskAsync<TJson, T>(
        BuildKitConnection connection, SolveRequest request, FrontendRequest asked, JsonTypeInfo<TJson> form, Func<TJson, DockerfileOrigin, T> read,
        IProgress<string>? warnings, CancellationToken cancellationToken)
        where TJson : class
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(request);
        var config = await DockerConfigFile.LoadAsync(cancellationToken).ConfigureAwait(false);
        await using var plan = await SolvePlanner.PlanAsync(InputsOf(request), SolveDaemon.Of(connection, config), cancellationToken).ConfigureAwait(false);
        foreach (var warning in plan.Warnings)
            warnings?.Report(warning);
        var origin = DockerfileOrigin.Of(request, plan);
        var message = Message(plan, asked);
        var answer = await GatewayBuild.RunAsync(
            connection, plan, config, (gateway, token) => AskAsync(gateway, message, asked, connection.Name, origin, token), cancellationToken).ConfigureAwait(false);
        return read(Parse(answer, form, asked), origin);
    }

    /// <summary>The request without all that is about results; what is left decides what the frontend sees.</summary>
    private static SolveRequest InputsOf(SolveRequest request) => request with
    {
        Outputs = [new SolveOutput { Type = "cacheonly" }],
        Load = false,
        Push = false,
        LoadInto = null,
        Tags = [],
        Annotations = [],
        Attestations = [],
        CacheFrom = [],
        CacheTo = [],
    };

    private static Wire.SolveRequest Message(SolvePlan plan, FrontendRequest asked)
    {
        var message = new Wire.SolveRequest { Frontend = plan.Frontend, AllowResultReturn = true, AllowResultArrayRef = true, FrontendOpt = { plan.FrontendAttributes } };
        var caps = plan.FrontendAttributes.GetValueOrDefault(CapsKey);
        message.FrontendOpt[CapsKey] = string.IsNullOrEmpty(caps) ? SubrequestsCap : $"{caps},{SubrequestsCap}";
        message.FrontendOpt["requestid"] = asked.Id;
        return message;
    }

    private static async Task<ByteString> AskAsync(
        GatewayClient gateway, Wire.SolveRequest message, FrontendRequest asked, string builder, DockerfileOrigin origin, CancellationToken cancellationToken)
    {
        Wire.SolveResponse response;
        try
        {
            response = await gateway.SolveAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (IsUnsupported(e))
        {
            throw NotSupported(asked, builder, e);
        }
        catch (RpcException e) when (SolveErrorDetails.Read(e).Source is null && origin.PlaceIn(e.Status.Detail) is { } place)
        {
            throw DockerfileErrors.Create(e.Status.Detail, place, origin, e);
        }
        // A frontend that knows nothing of requests builds instead.
        return response.Result is { } result && result.Metadata.TryGetValue(AnswerKey, out var answer) ? answer : throw NotSupported(asked, builder, null);
    }

    // Daemons as old as Docker 20.10 say it in words only (docker/buildx build/build.go).
    private static bool IsUnsupported(RpcException error) =>
        error.Status.Detail.StartsWith("unknown service ", StringComparison.Ordinal)
        || error.Status.Detail.Contains("unsupported request frontend.", StringComparison.Ordinal)
        || error.Status.Detail.Contains("unsupported frontend capability moby.buildkit.frontend.subrequests", StringComparison.Ordinal);

    private static BuildKitException NotSupported(FrontendRequest asked, string builder, RpcException? inner) => new(
        "BuildKit.CallNotSupported", BuildKitErrorCategory.NotSupported, $"'{builder}' can't tell {asked.Subject}: its Dockerfile frontend does not know {asked.Id}.",
        "Have a newer frontend answer, which the daemon then pulls: -BuildArg @{ BUILDKIT_SYNTAX = 'docker/dockerfile:1' }, or "
        + $"'# syntax=docker/dockerfile:1' as the Dockerfile's first line. By themselves answer {asked.Since} and newer.", inner)
    {
        Target = builder,
    };

    private static TJson Parse<TJson>(ByteString answer, JsonTypeInfo<TJson> form, FrontendRequest asked)
        where TJson : class
    {
        try
        {
            return JsonSerializer.Deserialize(answer.Span, form) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new BuildKitException(
                "BuildKit.CallAnswerUnreadable", BuildKitErrorCategory.Protocol, $"What the frontend answered to {asked.Id} can't be read: {e.Message}",
                "Try another frontend, with '# syntax=' or -BuildArg @{ BUILDKIT_SYNTAX = … }.", e);
        }
    }
}
