using BuildKit.Builders;
using BuildKit.Docker;

namespace BuildKit.Diagnosis;

/// <summary>What is looked at, and what earlier checks have learned of it for later ones. One a node.</summary>
internal sealed class Subject(BuildKitDoctorRequest request) : IAsyncDisposable
{
    public BuildKitDoctorRequest Request { get; } = request;

    /// <summary>The outcomes so far, by the checks' names.</summary>
    public Dictionary<string, Finding> Findings { get; private init; } = [];

    /// <summary>The docker config, once it has been read.</summary>
    public DockerConfigFile? Config { get; set; }

    /// <summary>The builder, once it has been found.</summary>
    public BuilderTarget? Target { get; set; }

    /// <summary>The node that is looked at.</summary>
    public BuilderTargetNode? Node { get; private init; }

    /// <summary>The registry that is looked at; null for all of the docker config.</summary>
    public string? Registry { get; private init; }

    /// <summary>The connection, once it is open.</summary>
    public BuildKitConnection? Connection { get; set; }

    /// <summary>What the Engine says of itself, once it has been asked.</summary>
    public SystemInfoResponse? Engine { get; set; }

    /// <summary>The trial build, once it has ended well.</summary>
    public TrialBuild? Trial { get; set; }

    /// <summary>The endpoint, with the patience of these checks, and as it is: nothing is booted.</summary>
    public BuildKitEndpoint Endpoint => Node!.Endpoint with
    {
        Boot = null,
        ConnectTimeout = Request.Timeout,
        Engine = Node.Endpoint.Engine is { } engine ? engine with { ConnectTimeout = Request.Timeout } : null,
    };

    public Subject ForNode(BuilderTargetNode? node) => new(Request) { Findings = new(Findings), Config = Config, Target = Target, Node = node };

    public Subject ForRegistry(string? registry) => new(Request) { Findings = new(Findings), Config = Config, Target = Target, Registry = registry };

    public async ValueTask DisposeAsync()
    {
        if (Connection is not null && Connection != Request.Connection)
            await Connection.DisposeAsync().ConfigureAwait(false);
    }
}
