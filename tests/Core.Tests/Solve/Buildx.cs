using System.Text.Json;
using BuildKit.Tests.Engines;

namespace BuildKit.Tests.Solve;

/// <summary>The real docker buildx, to compare with.</summary>
internal static class Buildx
{
    private static readonly SemaphoreSlim Creating = new(1, 1);

    /// <summary>Runs <c>buildx build</c> on an engine.</summary>
    /// <param name="engine">A Docker Engine or a buildkitd.</param>
    /// <param name="environment">Variables, <c>NAME=VALUE</c>.</param>
    /// <param name="arguments">Options and the context.</param>
    public static async Task<CommandResult> BuildAsync(TestEngine engine, string[] environment, params string[] arguments)
    {
        var program = await TestEngines.GetProgramAsync("buildx");
        var config = Path.Combine(engine.Folder, "buildx-config");
        string[] common = [$"DOCKER_CONFIG={config}", .. environment];
        string[] builder = [];
        if (engine.IsDocker)
        {
            common = [$"DOCKER_HOST={engine.Address.OriginalString}", .. common];
        }
        else
        {
            builder = ["--builder", "remote"];
            await Creating.WaitAsync();
            try
            {
                if (!Directory.Exists(config))
                    (await CommandResult.RunAsync("env", [.. common, program, "create", "--name", "remote", "--driver", "remote", engine.Address.OriginalString])).OutputOrThrow();
            }
            finally
            {
                Creating.Release();
            }
        }
        return await CommandResult.RunAsync("env", [.. common, program, "build", .. builder, .. arguments]);
    }

    /// <summary>Builds, and gives what <c>--metadata-file</c> then says of the result.</summary>
    /// <param name="engine">A Docker Engine or a buildkitd.</param>
    /// <param name="arguments">Options and the context.</param>
    public static async Task<Dictionary<string, JsonElement>> BuildWithMetadataAsync(TestEngine engine, IEnumerable<string> arguments)
    {
        var metadata = Path.GetTempFileName();
        try
        {
            (await BuildAsync(engine, [], ["--progress", "plain", "--metadata-file", metadata, .. arguments])).OutputOrThrow();
            return JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(await File.ReadAllBytesAsync(metadata))!;
        }
        finally
        {
            File.Delete(metadata);
        }
    }

    /// <summary>
    /// The places of a JSON text with the kinds of their values, and the values themselves where <paramref name="isStable"/> says that they are the same in each run.
    /// </summary>
    public static SortedSet<string> Places(JsonElement element, Func<string, bool> isStable)
    {
        var places = new SortedSet<string>(StringComparer.Ordinal);
        Add(string.Empty, element);
        return places;

        void Add(string path, JsonElement at)
        {
            if (at.ValueKind == JsonValueKind.Object)
                foreach (var member in at.EnumerateObject())
                    Add($"{path}/{Masked(member.Name)}", member.Value);
            else if (at.ValueKind == JsonValueKind.Array)
                foreach (var item in at.EnumerateArray())
                    Add(path + "[]", item);
            else
                places.Add(isStable(path) ? $"{path} = {at}" : $"{path}: {at.ValueKind}");
        }
    }

    private static string Masked(string name) => name.StartsWith("sha256:", StringComparison.Ordinal) ? "DIGEST" : name;
}
