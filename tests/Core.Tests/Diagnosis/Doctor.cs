using BuildKit.Builders;
using BuildKit.Diagnosis;
using BuildKit.Tests.Docker;
using Xunit;

namespace BuildKit.Tests.Diagnosis;

/// <summary>Runs the doctor with a docker config and an environment of its own.</summary>
internal sealed class Doctor : IDisposable
{
    public TestDockerConfig Config { get; } = new();

    public Dictionary<string, string> Environment { get; } = new() { ["PATH"] = System.Environment.GetEnvironmentVariable("PATH")! };

    public Task<List<BuildKitCheck>> RunAsync(string? builder, Func<BuildKitDoctorRequest, BuildKitDoctorRequest>? change = null) =>
        RunAsync(new BuildKitDoctorRequest { Builder = builder }, change);

    public Task<List<BuildKitCheck>> RunAsync(BuildKitEndpoint endpoint, Func<BuildKitDoctorRequest, BuildKitDoctorRequest>? change = null) =>
        RunAsync(new BuildKitDoctorRequest { Endpoint = endpoint }, change);

    public void Dispose() => Config.Dispose();

    /// <summary>Asserts that the checks are as expected.</summary>
    /// <param name="expected">One check a line: status (or several with | between), name, and words of its detail or recommendation with ; between.</param>
    /// <param name="checks">What was found.</param>
    public static void AssertChecks(string expected, IReadOnlyList<BuildKitCheck> checks)
    {
        foreach (var line in expected.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var parts = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            var check = Assert.Single(checks, check => check.Name == parts[1]);
            Assert.True(parts[0].Split('|').Contains($"{check.Status}"), $"{line}\n{check}");
            foreach (var words in parts.Length > 2 ? parts[2].Split(';', StringSplitOptions.TrimEntries) : [])
                Assert.Contains(words, $"{check.Detail} → {check.Recommendation}", StringComparison.OrdinalIgnoreCase);
        }
        foreach (var check in checks)
        {
            Assert.NotEmpty(check.Detail);
            Assert.Equal(check.Status is BuildKitCheckStatus.Warning or BuildKitCheckStatus.Fail, check.Recommendation is not null);
        }
    }

    private async Task<List<BuildKitCheck>> RunAsync(BuildKitDoctorRequest request, Func<BuildKitDoctorRequest, BuildKitDoctorRequest>? change)
    {
        Environment["DOCKER_CONFIG"] = Config.Directory;
        request = request with { Timeout = TimeSpan.FromSeconds(60), Variable = Environment.GetValueOrDefault };
        var checks = new List<BuildKitCheck>();
        await foreach (var check in BuildKitDoctor.RunAsync(change?.Invoke(request) ?? request).ConfigureAwait(false))
            checks.Add(check);
        return checks;
    }
}
