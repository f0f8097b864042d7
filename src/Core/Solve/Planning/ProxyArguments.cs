using BuildKit.Docker;

namespace BuildKit.Solve.Planning;

/// <summary>The proxies of the docker config, which builds get as build arguments (docker/buildx store/storeutil). Their addresses may hold passwords.</summary>
internal static class ProxyArguments
{
    private const string EveryDaemon = "default";

    private static readonly (string Name, Func<DockerProxyConfig, string?> Value)[] Arguments =
    [
        ("HTTP_PROXY", proxy => proxy.HttpProxy),
        ("HTTPS_PROXY", proxy => proxy.HttpsProxy),
        ("NO_PROXY", proxy => proxy.NoProxy),
        ("FTP_PROXY", proxy => proxy.FtpProxy),
        ("ALL_PROXY", proxy => proxy.AllProxy),
    ];

    /// <summary>Adds those that are set for the daemon, or for all, unless an argument of that name was given.</summary>
    /// <remarks>
    /// The frontend knows them in upper and lower case and sets both in steps, so one goes over the wire, and one given in lower case counts as given.
    /// </remarks>
    public static void AddTo(IDictionary<string, string> buildArgs, SolveDaemon daemon)
    {
        var proxy = daemon.Config.Proxies.GetValueOrDefault(daemon.Address) ?? daemon.Config.Proxies.GetValueOrDefault(EveryDaemon);
        if (proxy is null)
            return;
        foreach (var (name, read) in Arguments)
            if (read(proxy) is { Length: > 0 } value && !buildArgs.Keys.Any(given => given.Equals(name, StringComparison.OrdinalIgnoreCase)))
                buildArgs[name] = value;
    }
}
