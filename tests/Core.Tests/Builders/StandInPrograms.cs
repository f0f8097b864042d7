using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Builders;

/// <summary>
/// Programs on the PATH in place of <c>ssh</c>, <c>kubectl</c> and <c>podman</c>. Each runs the command it was given on «the other side», which is this machine: a shell reads it again for ssh;
/// the daemon is the one that a file named like the host, pod or container holds the address of. A host that no file is named like fails as ssh does.
/// </summary>
internal static class StandInPrograms
{
    private static readonly Lazy<string> Folder = new(() => ProgramFolder.Create(isFirst: true));
    private static readonly SemaphoreSlim Lock = new(1);
    private static bool _ready;

    /// <summary>What the last call of each program was given, a line an argument.</summary>
    public static string[] Arguments(string program) => File.ReadAllLines(Path.Combine(Folder.Value, $"{program}.args"));

    /// <summary>Makes a daemon known by a name.</summary>
    public static async Task AddAsync(string name, string address)
    {
        await Lock.WaitAsync();
        try
        {
            if (!_ready)
            {
                var (docker, buildctl) = (await TestEngines.GetProgramAsync("docker"), await TestEngines.GetProgramAsync("buildctl"));
                Write("docker", $"exec {docker} -H \"$OTHER_SIDE\" \"$@\"");
                Write("buildctl", $"exec {buildctl} --addr \"$OTHER_SIDE\" \"$@\"");
                Write("ssh", Keep("ssh") + """
                    while [ "$1" != -- ]; do shift; done
                    [ -f "$here/hosts/$2" ] || { echo "ssh: Could not resolve hostname $2: Name or service not known" >&2; exit 255; }
                    OTHER_SIDE=$(cat "$here/hosts/$2") exec sh -c "$3"
                    """);
                Write("podman", Keep("podman") + """
                    [ -f "$here/hosts/$3" ] || { echo "Error: no container with name or ID \"$3\" found: no such container" >&2; exit 125; }
                    OTHER_SIDE=$(cat "$here/hosts/$3"); export OTHER_SIDE; shift 3; exec "$@"
                    """);
                Write("kubectl", Keep("kubectl") + """
                    while [ "$1" != -i ]; do shift; done
                    [ -f "$here/hosts/$2" ] || { echo "Error from server (NotFound): pods \"$2\" not found" >&2; exit 1; }
                    OTHER_SIDE=$(cat "$here/hosts/$2"); export OTHER_SIDE; shift 3; exec "$@"
                    """);
                Directory.CreateDirectory(Path.Combine(Folder.Value, "hosts"));
                _ready = true;
            }
            await File.WriteAllTextAsync(Path.Combine(Folder.Value, "hosts", name), address);
        }
        finally
        {
            Lock.Release();
        }
    }

    private static string Keep(string program) => $"printf '%s\\n' \"$@\" >\"$here/{program}.args\"\n";

    private static void Write(string program, string script) =>
        ProgramFolder.Write(Path.Combine(Folder.Value, program), $"here={Folder.Value} PATH={Folder.Value}:$PATH\n{script}");
}
