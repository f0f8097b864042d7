using System.Runtime.CompilerServices;
using BuildKit.Tests.Solve.Exporters;

namespace BuildKit.Tests;

/// <summary>Keeps what the user of this machine has set up for docker and git away from the tests, and from the programs that they start.</summary>
internal static class UserEnvironment
{
    [ModuleInitializer]
    public static void Leave()
    {
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(IsTheUsers))
            Environment.SetEnvironmentVariable(name, null);
        var folder = Directory.CreateTempSubdirectory("buildkit-no-config-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        Environment.SetEnvironmentVariable("DOCKER_CONFIG", folder);
        Environment.SetEnvironmentVariable("GIT_CONFIG_GLOBAL", Path.Combine(folder, "gitconfig"));
    }

    // Some are the tests' own.
    private static bool IsTheUsers(string name) =>
        !name.StartsWith("BUILDKIT_TESTS_", StringComparison.Ordinal) && name != ExportersPageTests.WriteVariable
        && (name == "SOURCE_DATE_EPOCH" || new[] { "DOCKER_", "BUILDX_", "BUILDKIT_", "EXPERIMENTAL_BUILDKIT_" }.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
}
