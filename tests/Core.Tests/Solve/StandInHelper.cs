namespace BuildKit.Tests.Solve;

/// <summary>Shell scripts that stand for <c>docker-credential-…</c> programs, on the PATH of this process as long as it runs.</summary>
internal static class StandInHelper
{
    private static readonly string Folder = Prepare();

    /// <summary>One that knows one registry.</summary>
    /// <returns>What follows <c>docker-credential-</c> in its name.</returns>
    public static string Create(string host, string user, string secret) => Write($$"""
        read -r server
        if [ "$1 $server" != "get {{host}}" ]; then echo "credentials not found in native keychain"; exit 1; fi
        echo '{"ServerURL":"{{host}}","Username":"{{user}}","Secret":"{{secret}}"}'
        """);

    /// <summary>One that fails and tells a secret on both its streams.</summary>
    public static string CreateFailing(string secret) => Write($"echo 'broken {secret}'; echo 'broken {secret}' >&2; exit 3");

    /// <summary>One that does not answer.</summary>
    public static string CreateHanging() => Write("exec sleep 600");

    private static string Write(string script)
    {
        var name = $"test-{Guid.NewGuid():N}";
        var path = Path.Combine(Folder, "docker-credential-" + name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return name;
    }

    private static string Prepare()
    {
        var folder = Directory.CreateTempSubdirectory("buildkit-helpers-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        Environment.SetEnvironmentVariable("PATH", Environment.GetEnvironmentVariable("PATH") + Path.PathSeparator + folder);
        return folder;
    }
}
