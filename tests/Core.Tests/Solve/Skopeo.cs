using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve;

/// <summary>Runs skopeo, which checks every digest of what it copies.</summary>
internal static class Skopeo
{
    public static async Task<string> RunAsync(params string[] arguments) =>
        (await TestEngines.RunProgramAsync("skopeo", ["--insecure-policy", .. arguments])).OutputOrThrow();
}
