using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve;

/// <summary>Runs skopeo, which checks every digest of what it copies.</summary>
internal static class Skopeo
{
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var program = await TestEngines.GetProgramAsync("skopeo");
        // Its libraries lie beside it, and not where the system looks.
        var libraries = Directory.EnumerateDirectories(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(program)!, "..", "lib")), "*-linux-gnu");
        return (await CommandResult.RunAsync("env", [$"LD_LIBRARY_PATH={string.Join(':', libraries)}", program, "--insecure-policy", .. arguments])).OutputOrThrow();
    }
}
