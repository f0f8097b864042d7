using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BuildKit.Builders.Drivers;

/// <summary>The GitHub workflow that this process runs in, which a daemon adds to the provenance that it makes (docker/buildx util/ghutil).</summary>
internal static class GithubActionsContext
{
    /// <summary>Where the daemon looks for it, below its folder of files.</summary>
    public const string FileName = "provenance.d/github_actions_context.json";

    // Each group is told as a whole or not at all.
    private static readonly string[][] Groups =
    [
        ["GITHUB_ACTOR", "GITHUB_ACTOR_ID", "GITHUB_TRIGGERING_ACTOR"],
        ["GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_PROTECTED", "GITHUB_REF_TYPE"],
        ["GITHUB_REPOSITORY", "GITHUB_REPOSITORY_ID", "GITHUB_REPOSITORY_OWNER", "GITHUB_REPOSITORY_OWNER_ID"],
        ["GITHUB_JOB", "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_SERVER_URL", "GITHUB_WORKFLOW", "GITHUB_WORKFLOW_REF", "GITHUB_WORKFLOW_SHA"],
        ["ImageOS", "ImageVersion", "RUNNER_OS", "RUNNER_ARCH", "RUNNER_ENVIRONMENT", "RUNNER_TRACKING_ID", "RUNNER_NAME"],
    ];

    /// <summary>Reads the workflow's variables and event.</summary>
    /// <param name="getEnvironmentVariable">This process's environment.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>JSON; null where this is no workflow.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.GithubEventUnreadable</c>.</exception>
    public static async Task<byte[]?> ReadAsync(Func<string, string?> getEnvironmentVariable, CancellationToken cancellationToken)
    {
        if (GoBoolean.Parse(getEnvironmentVariable("GITHUB_ACTIONS")) is not true
            || getEnvironmentVariable("GITHUB_EVENT_NAME") is not { Length: > 0 } name || getEnvironmentVariable("GITHUB_EVENT_PATH") is not { Length: > 0 } path)
            return null;
        var context = new JsonObject { ["github_event_name"] = name };
        try
        {
            context["github_event_payload"] = JsonNode.Parse(await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false))?.AsObject();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new BuildKitException(
                "BuildKit.GithubEventUnreadable", BuildKitErrorCategory.InputOutput, $"The event of the GitHub workflow can't be read from '{path}': {exception.Message}",
                "Correct $GITHUB_EVENT_PATH, or create the builder with the driver option provenance-add-gha=false.", exception)
            { Target = path };
        }
        foreach (var group in Groups)
        {
            var values = group.Select(variable => (Member: Member(variable), Value: getEnvironmentVariable(variable))).ToList();
            if (values.TrueForAll(pair => !string.IsNullOrEmpty(pair.Value)))
                values.ForEach(pair => context[pair.Member] = pair.Value);
        }
        return Encoding.UTF8.GetBytes(context.ToJsonString());
    }

    private static string Member(string variable) => variable switch
    {
        "ImageOS" => "github_runner_image_os",
        "ImageVersion" => "github_runner_image_version",
        _ when variable.StartsWith("RUNNER_", StringComparison.Ordinal) => "github_" + variable.ToLowerInvariant(),
        _ => variable.ToLowerInvariant(),
    };
}
