namespace BuildKit.Tests.Solve;

/// <summary>Shell scripts that stand for <c>docker-credential-…</c> programs, on the PATH of this process as long as it runs.</summary>
internal static class StandInHelper
{
    private static readonly string Folder = ProgramFolder.Create(isFirst: false);

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
        ProgramFolder.Write(Path.Combine(Folder, "docker-credential-" + name), script);
        return name;
    }
}
