using BuildKit.Transport;

namespace BuildKit.Builders.Drivers;

/// <summary>A buildkitd that somebody else runs, at an address (docker/buildx driver/remote).</summary>
internal sealed class RemoteDriver : BuilderDriver
{
    private const string CaCertificate = "cacert";
    private const string Certificate = "cert";
    private const string Key = "key";
    private const string ServerName = "servername";

    /// <summary>The names of the options.</summary>
    public static IReadOnlyList<string> Options { get; } = [CaCertificate, Certificate, Key, ServerName, DefaultLoad];
    private static readonly string[] Files = [CaCertificate, Certificate, Key];

    public override string Name => "remote";

    public override void Validate(BuildKitNode node)
    {
        if (node.BuildkitdFlags.Count > 0 || node.Files.Count > 0)
            throw Invalid("flags", "flags and a configuration file are for a buildkitd that is started by its builder, and this one runs already", "Leave them out, or take -Driver docker-container.");
        foreach (var name in node.DriverOptions.Keys.Except(Options))
        {
            var meant = NearestName.Find(name, Options) is { } nearest ? $" Did you mean '{nearest}'?" : "";
            throw Invalid(name, $"the driver has no such option.{meant}", $"Its options are {string.Join(", ", Options)}.");
        }
        foreach (var name in Files.Where(node.DriverOptions.ContainsKey))
        {
            var path = node.DriverOptions[name];
            if (!Path.IsPathFullyQualified(path))
                throw Invalid(name, $"'{path}' is no absolute path", "Builders are used from everywhere: give the whole path.");
            if (!File.Exists(path))
                throw Invalid(name, $"there is no file '{path}'", "Give the path of a PEM file on this computer.", BuildKitErrorCategory.NotFound);
        }
        if (node.DriverOptions.TryGetValue(DefaultLoad, out var load) && GoBoolean.Parse(load) is null)
            throw Invalid(DefaultLoad, $"'{load}' is neither true nor false", "Write default-load=true.");
        if (Tls(node) is { } tls)
        {
            if (tls.CaFile is null)
                throw Invalid(CaCertificate, "TLS needs it: the certificate of the authority that signed the daemon's", "Give cacert=/path/of/ca.pem too.");
            if (tls.CertificateFile is null != tls.KeyFile is null)
                throw Invalid(tls.KeyFile is null ? Key : Certificate, "a client certificate and its private key are needed together", "Give both cert and key, or neither.");
        }
        BuildKitEndpoint.Parse(node.Endpoint, Tls(node), BuildKitServerKind.Buildkitd);
    }

    public override Task<BuildKitEndpoint> FindEndpointAsync(BuilderNode node, CancellationToken cancellationToken) =>
        Task.FromResult(BuildKitEndpoint.Parse(node.Node.Endpoint, Tls(node.Node), BuildKitServerKind.Buildkitd) with { Kind = BuildKitServerKind.Buildkitd });

    private static BuildKitTlsOptions? Tls(BuildKitNode node)
    {
        var tls = new BuildKitTlsOptions
        {
            CaFile = node.DriverOptions.GetValueOrDefault(CaCertificate),
            CertificateFile = node.DriverOptions.GetValueOrDefault(Certificate),
            KeyFile = node.DriverOptions.GetValueOrDefault(Key),
            ServerName = node.DriverOptions.GetValueOrDefault(ServerName),
        };
        return tls == new BuildKitTlsOptions() ? null : tls;
    }

    private static BuildKitException Invalid(string option, string why, string action, BuildKitErrorCategory category = BuildKitErrorCategory.InvalidArgument) =>
        new("BuildKit.InvalidDriverOption", category, $"The option '{option}' of the driver 'remote' is wrong: {why}.", action) { Target = option };
}
