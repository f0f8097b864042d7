using System.Text.RegularExpressions;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>An address that a program or a container leads to.</summary>
/// <param name="Address">The address as it is shown.</param>
/// <param name="Name">The host, container or pod.</param>
/// <param name="Program">The program; null where the Engine's own API does it.</param>
/// <param name="Kind">What answers there.</param>
/// <param name="EngineContext">The docker context that holds a container, or null.</param>
internal sealed partial record HelperAddress(string Address, string Name, HelperProgram? Program, BuildKitServerKind Kind, string? EngineContext)
{
    private static readonly string[] DialStdio = ["buildctl", "dial-stdio"];

    /// <summary>Reads what follows <c>scheme://</c>.</summary>
    /// <param name="scheme">The scheme.</param>
    /// <param name="rest">What follows.</param>
    /// <param name="kind">What is meant to answer there; null where the scheme alone tells.</param>
    /// <returns>Null for a scheme that is none of these.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidEndpoint</c>.</exception>
    public static HelperAddress? Parse(string scheme, string rest, BuildKitServerKind? kind) => scheme switch
    {
        "ssh" => Ssh(rest, kind),
        "docker-container" => Container(scheme, rest, "context"),
        "podman-container" => Container(scheme, rest),
        "kube-pod" => Pod(rest),
        _ => null,
    };

    /// <summary>A machine behind SSH: its Docker Engine by <c>docker system dial-stdio</c>, or a buildkitd by <c>buildctl dial-stdio</c>.</summary>
    /// <param name="rest"><c>[user@]host[:port][/path/of/socket]</c>.</param>
    /// <param name="kind">What to connect to; null for an Engine.</param>
    private static HelperAddress Ssh(string rest, BuildKitServerKind? kind)
    {
        var match = SshParts().Match(rest);
        if (!match.Success)
            throw BuildKitEndpoint.Invalid("ssh://…", "it is written ssh://[user@]host[:port][/path/of/socket], without a password");
        var (user, host, port, path) = (match.Groups["user"].Value, match.Groups["host"].Value.Trim('[', ']'), match.Groups["port"].Value, match.Groups["path"].Value);
        var socket = path.Trim('/').Length > 0 ? path : null;
        var arguments = new List<string>();
        if (user.Length > 0)
            arguments.AddRange(["-l", user]);
        if (port.Length > 0)
            arguments.AddRange(["-p", port]);
        arguments.AddRange(["-o", "ConnectTimeout=30", "-T", "--", host]);
        var isBuildkitd = kind == BuildKitServerKind.Buildkitd;
        string[] command = isBuildkitd
            ? socket is null ? DialStdio : ["buildctl", "--addr", $"unix://{socket}", "dial-stdio"]
            : socket is null ? ["docker", "system", "dial-stdio"] : ["docker", $"--host=unix://{socket}", "system", "dial-stdio"];
        // The other side's shell reads the words once more.
        arguments.Add(string.Join(' ', command.Select(Quote)));
        return new HelperAddress(
            $"ssh://{rest}", host,
            new HelperProgram("ssh", arguments, isBuildkitd
                ? "Check that 'ssh' gets there without asking, and that buildctl is on the PATH of the other side."
                : "Check that 'ssh' gets there without asking, and that docker is on the PATH of the other side and may use its Engine."),
            kind ?? BuildKitServerKind.DockerEngine, null);
    }

    private static HelperAddress Container(string scheme, string rest, params string[] known)
    {
        var (name, query) = Split(scheme, rest, known);
        if (!ContainerName().IsMatch(name))
            throw BuildKitEndpoint.Invalid($"{scheme}://{rest}", "it names no container");
        var program = scheme == "docker-container" ? null : new HelperProgram(
            "podman", ["exec", "-i", name, .. DialStdio], "Check that the container runs (podman ps) and holds a buildkitd with buildctl.");
        return new HelperAddress($"{scheme}://{rest}", name, program, BuildKitServerKind.Buildkitd, query.GetValueOrDefault("context"));
    }

    private static HelperAddress Pod(string rest)
    {
        var (pod, query) = Split("kube-pod", rest, "context", "namespace", "container");
        if (!KubeName().IsMatch(pod) || !KubeName().IsMatch(query.GetValueOrDefault("namespace", "x")) || !KubeName().IsMatch(query.GetValueOrDefault("container", "x")))
            throw BuildKitEndpoint.Invalid($"kube-pod://{rest}", "names of pods, namespaces and containers hold lower-case letters, digits, '-' and '.' alone");
        string[] arguments =
        [
            $"--context={query.GetValueOrDefault("context")}", $"--namespace={query.GetValueOrDefault("namespace")}", "exec",
            $"--container={query.GetValueOrDefault("container")}", "-i", pod, "--", .. DialStdio,
        ];
        return new HelperAddress(
            $"kube-pod://{rest}", pod,
            new HelperProgram("kubectl", arguments, "Check that the pod runs (kubectl get pod), that you may exec in it, and that it holds a buildkitd with buildctl."),
            BuildKitServerKind.Buildkitd, null);
    }

    private static (string Name, Dictionary<string, string> Query) Split(string scheme, string rest, params string[] known)
    {
        var parts = rest.Split('?', 2);
        var query = new Dictionary<string, string>();
        foreach (var field in parts.Length > 1 ? parts[1].Split('&', StringSplitOptions.RemoveEmptyEntries) : [])
        {
            var pair = field.Split('=', 2);
            if (!known.Contains(pair[0]))
                throw BuildKitEndpoint.Invalid($"{scheme}://{rest}", $"'{pair[0]}' means nothing there");
            query[pair[0]] = pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : string.Empty;
        }
        return (parts[0].TrimEnd('/'), query);
    }

    private static string Quote(string word) => PlainWord().IsMatch(word) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^((?<user>[^@:/?#]+)@)?(?<host>\[[0-9A-Fa-f:.%]+\]|[^@:/?#\s]+)(:(?<port>\d{1,5}))?(?<path>/[^?#]*)?$")]
    private static partial Regex SshParts();

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")]
    private static partial Regex ContainerName();

    [GeneratedRegex("^[a-z0-9][-a-z0-9.]*$")]
    private static partial Regex KubeName();

    [GeneratedRegex("^[A-Za-z0-9_@%+=:,./-]+$")]
    private static partial Regex PlainWord();
}
