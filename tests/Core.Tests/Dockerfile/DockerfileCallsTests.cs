using System.Text.Json;
using BuildKit.Builders;
using BuildKit.Dockerfile;
using BuildKit.Solve;
using BuildKit.Tests.Builders;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Dockerfile;

/// <summary>The frontend's answers from real daemons, beside those that docker/buildx gets.</summary>
public sealed class DockerfileCallsTests
{
    private const string Text = """
        # the first stage
        ARG BASE=base:1
        # build builds it
        from ${BASE} AS Build
        # VERSION is the version
        ARG VERSION=1.0
        ARG PASSWORD_TOKEN
        ENV FOO bar
        RUN --mount=type=secret,id=tok,required=true --mount=type=ssh --mount=type=secret,id=opt \
            echo $VERSION
        FROM ${BASE} AS last
        COPY --from=Build /etc/passwd /p
        CMD echo hi
        """;

    private const string Broken = "FROM scratch\nFORM x\nRUN true\n";

    public static TheoryData<EngineKind> WithLint => [EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.BuildkitdUnix, EngineKind.BuildkitdTls];

    public static TheoryData<EngineKind> WithTargets =>
        [EngineKind.Docker28Graphdriver, EngineKind.Docker28Containerd, EngineKind.Docker26, EngineKind.BuildkitdUnix, EngineKind.BuildkitdTls];

    private static async Task<T> CallAsync<T>(TestEngine engine, Func<BuildKitConnection, Task<T>> call)
    {
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(engine));
        return await call(connection).WaitAsync(TimeSpan.FromMinutes(1));
    }

    private static Task<DockerfileLint> LintAsync(TestEngine engine, SolveRequest request) =>
        CallAsync(engine, connection => DockerfileCalls.LintAsync(connection, request, null, default));

    private static Task<IReadOnlyList<DockerfileTarget>> TargetsAsync(TestEngine engine, SolveRequest request) =>
        CallAsync(engine, connection => DockerfileCalls.GetTargetsAsync(connection, request, null, default));

    private static Task<DockerfileOutline> OutlineAsync(TestEngine engine, SolveRequest request) =>
        CallAsync(engine, connection => DockerfileCalls.GetOutlineAsync(connection, request, null, default));

    private static SolveRequest Request(TestEngine engine, BuildContextDirectory context) => new()
    {
        Context = context.Path,
        BuildArgs = new Dictionary<string, string> { ["BASE"] = engine.BaseImage },
    };

    [SkippableTheory]
    [MemberData(nameof(WithLint))]
    public async Task LintFindsEachRuleAtItsLine(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Text);

        var lint = await LintAsync(engine, Request(engine, context));

        Assert.Null(lint.Error);
        Assert.False(lint.Passed);
        Assert.Equal(
            [
                (4, "ConsistentInstructionCasing"), (4, "FromAsCasing"), (4, "StageNameCasing"), (7, "SecretsUsedInArgOrEnv"), (8, "LegacyKeyValueFormat"),
                (13, "JSONArgsRecommended"),
            ],
            lint.Warnings.Select(warning => (warning.Line!.Value, warning.RuleName)).Order());
        Assert.Equal(lint.Warnings.Select(warning => warning.Line).Order(), lint.Warnings.Select(warning => warning.Line));
        Assert.All(lint.Warnings, warning => Assert.Equal(context.At("Dockerfile"), warning.File));
        Assert.All(lint.Warnings, warning => Assert.StartsWith("https://", warning.Url, StringComparison.Ordinal));
        var legacy = Assert.Single(lint.Warnings, warning => warning.RuleName == "LegacyKeyValueFormat");
        Assert.Contains("   8 | >>> ENV FOO bar\n", legacy.Excerpt, StringComparison.Ordinal);
        Assert.StartsWith("Dockerfile:8\n", legacy.Excerpt, StringComparison.Ordinal);
        Assert.Equal([new SolveSourceRange(8, 8)], legacy.Ranges);
    }

    [SkippableFact]
    public async Task LintOfATargetLeavesOtherStagesAlone()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var context = new BuildContextDirectory().Write("Dockerfile", Text);
        var lint = await LintAsync(engine, Request(engine, context) with { Target = "build" });
        Assert.DoesNotContain(lint.Warnings, warning => warning.RuleName == "JSONArgsRecommended");
        Assert.Contains(lint.Warnings, warning => warning.RuleName == "LegacyKeyValueFormat");
    }

    [SkippableFact]
    public async Task ADirectiveOrABuildArgumentLeavesRulesOut()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var request = new SolveRequest { DockerfileText = "# check=skip=MaintainerDeprecated\nFROM scratch\nMAINTAINER me\nENV A b\n" };

        var lint = await LintAsync(engine, request);
        Assert.Equal("LegacyKeyValueFormat", Assert.Single(lint.Warnings).RuleName);
        // A text is no file that a person could open.
        Assert.Equal("Dockerfile", lint.Warnings[0].File);

        var quiet = await LintAsync(engine, request with { BuildArgs = new Dictionary<string, string> { ["BUILDKIT_DOCKERFILE_CHECK"] = "skip=all" } });
        Assert.True(quiet.Passed);
    }

    [SkippableFact]
    public async Task FindingsAreAnErrorWhereTheDockerfileSaysSo()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var lint = await LintAsync(engine, new SolveRequest { DockerfileText = "# check=error=true\nFROM scratch\nMAINTAINER me\n" });
        Assert.Equal("MaintainerDeprecated", Assert.Single(lint.Warnings).RuleName);
        Assert.Equal("BuildKit.DockerfileCheckFailed", lint.Error?.ErrorId);
    }

    [SkippableFact]
    public async Task ABrokenDockerfileIsAFindingWithItsLines()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        using var context = new BuildContextDirectory().Write("sub/broken.Dockerfile", Broken);
        var path = context.At("sub/broken.Dockerfile");
        var lint = await LintAsync(engine, new SolveRequest { Context = context.Path, Dockerfile = path });
        Assert.False(lint.Passed);
        Assert.Empty(lint.Warnings);
        Assert.Equal("BuildKit.DockerfileSyntax", lint.Error?.ErrorId);
        Assert.Equal(path, lint.Error?.Target);
        Assert.Contains("broken.Dockerfile:2\n", lint.Error?.Message, StringComparison.Ordinal);
        Assert.Contains(">>> FORM x", lint.Error?.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker26)]
    public async Task TargetsAndOutlineOfABrokenDockerfileFailWithItsLines(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Broken);
        var fromFile = await Assert.ThrowsAsync<SolveFailedException>(() => TargetsAsync(engine, new SolveRequest { Context = context.Path }));
        var fromText = await Assert.ThrowsAsync<SolveFailedException>(() => OutlineAsync(engine, new SolveRequest { DockerfileText = Broken }));
        Assert.All([fromFile, fromText], failure =>
        {
            Assert.Equal("BuildKit.DockerfileSyntax", failure.ErrorId);
            Assert.Equal(2, failure.SourceLocation?.Ranges[0].StartLine);
            Assert.Contains("   2 | >>> FORM x\n", failure.Message, StringComparison.Ordinal);
        });
    }

    [SkippableTheory]
    [MemberData(nameof(WithTargets))]
    public async Task TargetsAreTheStages(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Text + "\nFROM --platform=$BUILDPLATFORM scratch\n");
        var file = context.At("Dockerfile");
        Assert.Equal(
            [
                new DockerfileTarget { Name = "build", Description = "builds it", Base = "${BASE}", File = file, Line = 4 },
                new DockerfileTarget { Name = "last", Base = "${BASE}", File = file, Line = 11 },
                new DockerfileTarget { Default = true, Base = "scratch", Platform = "$BUILDPLATFORM", File = file, Line = 14 },
            ],
            await TargetsAsync(engine, Request(engine, context)));
    }

    [SkippableTheory]
    [MemberData(nameof(WithTargets))]
    public async Task TheOutlineIsWhatTheTargetTakes(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Text);
        var file = context.At("Dockerfile");
        var request = Request(engine, context);

        var arguments = new Dictionary<string, string>(request.BuildArgs) { ["VERSION"] = "2.0" };
        var outline = await OutlineAsync(engine, request with { Target = "build", BuildArgs = arguments });

        Assert.Equal(("build", "builds it", file), (outline.Name, outline.Description, outline.File));
        Assert.Equal(
            [
                new("BASE", engine.BaseImage, "", file, 2), new("VERSION", "2.0", "is the version", file, 6), new("PASSWORD_TOKEN", null, "", file, 7),
            ],
            outline.Args);
        Assert.Equal([new("opt", false, file, 9), new("tok", true, file, 9)], outline.Secrets.OrderBy(secret => secret.Name));
        Assert.Equal([new("default", false, file, 9)], outline.Ssh);
        Assert.Equal("last", (await OutlineAsync(engine, request)).Name);
    }

    [SkippableFact]
    public async Task AMissingTargetFailsAsInABuild()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var request = new SolveRequest { DockerfileText = "FROM scratch AS a\n", Target = "b" };
        var failure = await Assert.ThrowsAsync<SolveFailedException>(() => OutlineAsync(engine, request));
        Assert.Equal("BuildKit.TargetNotFound", failure.ErrorId);
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.Docker20)]
    public async Task AFrontendWithoutChecksSaysSo(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => LintAsync(engine, new SolveRequest { DockerfileText = "FROM scratch\n" }));
        Assert.Equal("BuildKit.CallNotSupported", failure.ErrorId);
        Assert.Contains("Docker Engine 27", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task AFrontendWithoutTargetsAndOutlineSaysSo()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker20);
        var request = new SolveRequest { DockerfileText = "FROM scratch\n" };
        Assert.Equal("BuildKit.CallNotSupported", (await Assert.ThrowsAsync<BuildKitException>(() => TargetsAsync(engine, request))).ErrorId);
        Assert.Equal("BuildKit.CallNotSupported", (await Assert.ThrowsAsync<BuildKitException>(() => OutlineAsync(engine, request))).ErrorId);
    }

    [SkippableFact]
    public async Task WhatTheRequestDoesWithResultsDoesNotMatter()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var request = new SolveRequest
        {
            DockerfileText = "FROM scratch\n",
            Tags = ["calls-never-made:1"],
            Load = true,
            Outputs = [new SolveOutput { Type = "oci", Destination = "/nowhere/at/all.tar" }],
        };
        Assert.True((await LintAsync(engine, request)).Passed);
        Assert.Empty((await engine.DockerAsync("images", "-q", "calls-never-made")).OutputOrThrow());
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.BuildkitdUnix)]
    [InlineData(EngineKind.BuildkitdTls)]
    public async Task BuildxIsToldTheSameFindings(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Text);
        using var buildx = await BuildxAsync(engine, "check", context);
        Assert.Equal(
            Rows(buildx, "warnings", "ruleName", "detail", "description", "url"),
            (await LintAsync(engine, Request(engine, context))).Warnings
                .Select(warning => $"{warning.RuleName}|{warning.Detail}|{warning.Description}|{warning.Url}|{warning.Line}-{warning.EndLine}")
                .Order(StringComparer.Ordinal));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker26)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task BuildxIsToldTheSameTargetsAndOutline(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);
        using var context = new BuildContextDirectory().Write("Dockerfile", Text);
        using var targets = await BuildxAsync(engine, "targets", context);
        using var outline = await BuildxAsync(engine, "outline", context, "--target", "build");

        Assert.Equal(
            Rows(targets, "targets", "name", "default", "description", "base"),
            (await TargetsAsync(engine, Request(engine, context)))
                .Select(target => $"{target.Name}|{(target.Default ? "True" : "")}|{target.Description}|{target.Base}|{target.Line}-{target.Line}")
                .Order(StringComparer.Ordinal));

        var ours = await OutlineAsync(engine, Request(engine, context) with { Target = "build" });
        Assert.Equal(outline.RootElement.GetProperty("name").GetString(), ours.Name);
        Assert.Equal(outline.RootElement.GetProperty("description").GetString(), ours.Description);
        Assert.Equal(
            Rows(outline, "args", "name", "value", "description"),
            ours.Args.Select(arg => $"{arg.Name}|{arg.Value}|{arg.Description}|{arg.Line}-{arg.Line}").Order(StringComparer.Ordinal));
        Assert.Equal(
            Rows(outline, "secrets", "name", "required").Concat(Rows(outline, "ssh", "name", "required")),
            ours.Secrets.OrderBy(secret => secret.Name, StringComparer.Ordinal).Concat(ours.Ssh)
                .Select(mount => $"{mount.Name}|{(mount.Required ? "True" : "")}|{mount.Line}-{mount.Line + 1}"));
    }

    /// <summary>What docker/buildx prints for a call, with the daemon's own docker CLI or, for a buildkitd, through a remote builder.</summary>
    private static async Task<JsonDocument> BuildxAsync(TestEngine engine, string call, BuildContextDirectory context, params string[] arguments)
    {
        string[] build =
            ["buildx", "build", "-q", $"--call={call},format=json,ignorestatus=true", "--build-arg", $"BASE={engine.BaseImage}", .. arguments, context.Path];
        if (engine.IsDocker)
            return JsonDocument.Parse((await engine.DockerAsync(build)).OutputOrThrow());

        var docker = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        var name = $"calls-{Guid.NewGuid():N}";
        string[] tls = engine.Kind == EngineKind.BuildkitdTls
            ? ["--driver-opt", $"cacert={engine.CaCertificatePath},cert={engine.ClientCertificatePath},key={engine.ClientKeyPath},servername=localhost"]
            : [];
        (await docker.DockerAsync(["buildx", "create", "--name", name, "--driver", "remote", .. tls, engine.Address.OriginalString])).OutputOrThrow();
        try
        {
            return JsonDocument.Parse((await docker.DockerAsync([.. build, "--builder", name])).OutputOrThrow());
        }
        finally
        {
            (await docker.DockerAsync("buildx", "rm", name)).OutputOrThrow();
        }
    }

    private static List<string> Rows(JsonDocument json, string list, params string[] keys) => json.RootElement.GetProperty(list).EnumerateArray().Select(item =>
    {
        var ranges = item.GetProperty("location").GetProperty("ranges").EnumerateArray().ToList();
        var values = keys.Select(key => item.TryGetProperty(key, out var value) ? value.ToString() : "");
        return $"{string.Join('|', values)}|{ranges[0].GetProperty("start").GetProperty("line")}-{ranges[^1].GetProperty("end").GetProperty("line")}";
    }).Order(StringComparer.Ordinal).ToList();
}
