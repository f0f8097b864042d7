using BuildKit.Protocol.SourcePolicy;
using BuildKit.Solve.Exporters;
using Google.Protobuf;
using Xunit;

namespace BuildKit.Tests.Solve.Planning;

public sealed class SourcePolicyFileTests
{
    private const string Json = """
        { "version": 1, "extra": true, "rules": [ { "action": "CONVERT",
          "selector": { "identifier": "docker-image://a", "match_type": "EXACT" }, "updates": { "identifier": "docker-image://b", "attrs": { "k": "v" } } } ] }
        """;

    [Fact]
    public async Task SourcePolicyIsReadAsJsonAndAsProtobuf()
    {
        using var folder = new BuildContextDirectory().Write("policy.json", Json);
        await using var json = await Plans.Request.PlanAsync(Plans.Daemon(DaemonStore.Buildkitd, ("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", folder.At("policy.json"))));
        var rule = Assert.Single(json.SourcePolicy!.Rules);
        Assert.Equal((PolicyAction.Convert, BuildKit.Protocol.SourcePolicy.MatchType.Exact, "docker-image://b", "v"), (rule.Action, rule.Selector.MatchType, rule.Updates.Identifier, rule.Updates.Attrs["k"]));

        await File.WriteAllBytesAsync(folder.At("policy.pb"), json.SourcePolicy.ToByteArray());
        await using var binary = await (Plans.Request with { SourcePolicyFile = folder.At("policy.pb") }).PlanAsync();
        Assert.Equal(json.SourcePolicy, binary.SourcePolicy);
        await using var none = await Plans.Request.PlanAsync();
        Assert.Null(none.SourcePolicy);
    }

    [Fact]
    public async Task SourcePolicyThatIsNoneIsRefused()
    {
        using var folder = new BuildContextDirectory().Write("policy.json", """{ "rules": [ { "action": "MAYBE" } ] }""");
        await (Plans.Request with { SourcePolicyFile = folder.At("policy.json") }).RefusesAsync("BuildKit.SourcePolicyInvalid");
        await (Plans.Request with { SourcePolicyFile = folder.At("missing.json") }).RefusesAsync("BuildKit.SourcePolicyUnreadable");
    }
}
