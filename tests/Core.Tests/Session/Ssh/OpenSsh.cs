using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Session.Ssh;

/// <summary>OpenSSH's own programs, which keys and agents have to agree with.</summary>
internal static class OpenSsh
{
    private static readonly Lazy<Task<string?>> Obstacle = new(FindObstacleAsync);

    /// <summary>Skips the test where they can't be had.</summary>
    public static async Task RequireAsync()
    {
        var obstacle = await Obstacle.Value;
        Skip.If(obstacle is not null, obstacle);
    }

    /// <summary>Makes a key.</summary>
    /// <param name="path">The private half's file; the public one's name has <c>.pub</c> behind.</param>
    /// <param name="arguments">Its type, and what else there is to say.</param>
    public static async Task KeygenAsync(string path, string arguments)
    {
        await RequireAsync();
        (await CommandResult.RunAsync("ssh-keygen", ["-q", "-N", "", "-C", "comment", "-f", path, .. arguments.Split(' ')])).OutputOrThrow();
    }

    /// <summary>Runs a program with an agent.</summary>
    public static Task<CommandResult> RunAsync(string socket, string program, params string[] arguments) =>
        CommandResult.RunAsync("env", ["SSH_AUTH_SOCK=" + socket, program, .. arguments]);

    private static async Task<string?> FindObstacleAsync()
    {
        if (!OperatingSystem.IsLinux())
            return "OpenSSH's programs are looked for on Linux alone.";
        if (await IsThereAsync())
            return null;
        if (Environment.GetEnvironmentVariable("CI") == "true" && File.Exists("/usr/bin/apt-get"))
            await CommandResult.RunAsync("sh", ["-c", "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends openssh-client"]);
        return await IsThereAsync() ? null : "missing: apt-get install -y openssh-client";
    }

    private static async Task<bool> IsThereAsync() =>
        (await CommandResult.RunAsync("sh", ["-c", "command -v ssh-keygen && command -v ssh-add && command -v ssh-agent"])).ExitCode == 0;
}
