using System.Text;
using BuildKit.Builders.Drivers;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>What a daemon is told of the GitHub workflow that made it.</summary>
public sealed class GithubActionsContextTests
{
    [Fact]
    public async Task WholeGroupsOfVariablesAreTold()
    {
        using var folder = new BuildContextDirectory().Write("event.json", """{"number": 7}""");
        var variables = new Dictionary<string, string>
        {
            ["GITHUB_ACTIONS"] = "true",
            ["GITHUB_EVENT_NAME"] = "push",
            ["GITHUB_EVENT_PATH"] = folder.At("event.json"),
            ["GITHUB_ACTOR"] = "somebody",
            ["GITHUB_ACTOR_ID"] = "1",
            ["GITHUB_TRIGGERING_ACTOR"] = "somebody",
            ["GITHUB_REF"] = "refs/heads/master", // the rest of its group is missing
        };
        Assert.Equal(
            """{"github_event_name":"push","github_event_payload":{"number":7},"github_actor":"somebody","github_actor_id":"1","github_triggering_actor":"somebody"}""",
            Encoding.UTF8.GetString((await GithubActionsContext.ReadAsync(variables.GetValueOrDefault, default))!));

        variables["GITHUB_EVENT_PATH"] = folder.At("gone.json");
        var error = await Assert.ThrowsAsync<BuildKitException>(() => GithubActionsContext.ReadAsync(variables.GetValueOrDefault, default));
        Assert.Equal("BuildKit.GithubEventUnreadable", error.ErrorId);

        variables["GITHUB_ACTIONS"] = "false";
        Assert.Null(await GithubActionsContext.ReadAsync(variables.GetValueOrDefault, default));
    }
}
