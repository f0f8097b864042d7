using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace BuildKit.Solve.Planning;

/// <summary>Further names for hosts (<c>--add-host</c>; docker/buildx build/utils.go).</summary>
internal static partial class ExtraHosts
{
    private const string HostGateway = "host-gateway";

    // moby/moby builder/builder-next/worker/label.
    private const string HostGatewayLabel = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";

    /// <summary>The attribute's value: <c>name=address</c> with commas between.</summary>
    /// <returns>Null where no host was asked for.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidHost</c>, or the daemon does not tell what <c>host-gateway</c> is.</exception>
    public static string? Format(IReadOnlyList<string> hosts, SolveDaemon daemon)
    {
        var entries = new List<string>();
        string? name = null;
        foreach (var field in hosts.SelectMany(host => host.Split(',', StringSplitOptions.TrimEntries)))
        {
            // A further address of the host before it.
            var address = name is null ? null : Address(field, daemon);
            if (address is null)
            {
                var match = Host().Match(field);
                name = match.Success ? match.Groups["name"].Value : throw Invalid(field);
                address = Address(match.Groups["address"].Value, daemon) ?? throw Invalid(field);
            }
            entries.Add($"{name}={address}");
        }
        return entries.Count == 0 ? null : string.Join(',', entries);
    }

    private static string? Address(string text, SolveDaemon daemon)
    {
        if (text == HostGateway)
            return Gateway(daemon);
        var bare = text.Length > 2 && text[0] == '[' && text[^1] == ']' ? text[1..^1] : text;
        // .NET takes more for an address than Go does: 1, 0x7f.1, fe80::1%eth0.
        return IPAddress.TryParse(bare, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? bare.IndexOfAny(['%', '[']) < 0 : address.ToString() == bare)
            ? bare
            : null;
    }

    private static string Gateway(SolveDaemon daemon)
    {
        var address = daemon.Workers.Select(worker => worker.Labels.GetValueOrDefault(HostGatewayLabel)).FirstOrDefault(label => !string.IsNullOrEmpty(label));
        return IPAddress.TryParse(address, out _)
            ? address
            : throw new BuildKitException(
                "BuildKit.HostGatewayUnknown", BuildKitErrorCategory.NotSupported,
                daemon.IsEngine ? "This Engine does not tell the address that host-gateway stands for." : "host-gateway is known to a Docker Engine alone; this builder is a buildkitd.",
                "Give the address itself: -AddHost 'host.docker.internal:172.17.0.1'.")
            { Target = HostGateway };
    }

    private static BuildKitException Invalid(string field) =>
        new("BuildKit.InvalidHost", BuildKitErrorCategory.InvalidArgument, $"'{field}' does not name a host and its address.",
            "Write it like -AddHost 'db:10.0.0.2', 'db=[fd00::2]', 'host.docker.internal:host-gateway' or @{ db = '10.0.0.2' }.")
        { Target = field };

    // An equals sign comes before a colon, and of colons the first one parts them: an IPv6 address has more.
    [GeneratedRegex("""^(?<name>[^\s="]+)=(?<address>[^\s=]+)$|^(?<name>[^\s=":]+):(?<address>[^\s=]+)$""")]
    private static partial Regex Host();
}
