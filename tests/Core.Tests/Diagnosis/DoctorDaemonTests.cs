using BuildKit.Builders;
using BuildKit.Diagnosis;
using BuildKit.Tests.Builders;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Diagnosis;

/// <summary>Every check of every kind of daemon.</summary>
public sealed class DoctorDaemonTests : IDisposable
{
    private const string ThisSide = """
        Pass DockerConfig there is no
        Pass BuilderStore no builders
        Pass Endpoint as it was given
        Pass RegistryCredentials only what is public
        Skipped BuilderImage only builders that are made as a container
        """;

    // How long the trial takes and how full the disk is are the machine's business.
    private const string Engine = """
        Skipped NodeStatus somebody else's
        Skipped Tls unix://
        Pass|Warning TrialBuild two layers
        Pass Clock agrees
        Pass DockerInDocker mounts one layer over another
        Pass Cache the build cache holds; could be freed
        Pass|Warning DiskSpace are free where the Engine keeps its data
        Pass Platforms linux/; it has no emulators
        """;

    private const string Classic = """
        Warning ImageStore classic store; one platform; with a standalone buildkitd
        Pass Exporters image, registry, docker, local, tar, cacheonly can be had; oci (file, layout) can't; -Probe
        """;

    private const string Buildkitd = """
        Skipped NodeStatus somebody else's
        Skipped EngineApi standalone buildkitd
        Pass BuildKit v0.25; mergeop; several outputs; records of builds
        Pass ImageStore keeps no images; -Push; -Load
        Pass Exporters image, registry, docker, oci (file, layout), local, tar, cacheonly can be had
        Pass Platforms linux/
        Pass|Warning TrialBuild two layers
        Pass Clock agrees
        Skipped DockerInDocker does not tell
        Pass Cache the build cache holds
        Pass GcPolicy rules: at most
        Skipped DiskSpace does not tell
        """;

    private readonly Doctor _doctor = new();

    public void Dispose() => _doctor.Dispose();

    public static TheoryData<EngineKind, string> Expectations => new()
    {
        {
            EngineKind.Docker28Graphdriver, Engine + "\n" + Classic + """

            Pass Connection Docker Engine 28.5; POST /grpc
            Pass EngineApi Docker Engine 28.5; to 1.51
            Pass BuildKit several outputs; attestations; records of builds; with this image store not COPY --link
            Warning ImageStore "containerd-snapshotter": true
            Pass GcPolicy rules: at most
            """
        },
        {
            EngineKind.Docker28Containerd, Engine + """

            Pass Connection Docker Engine 28.5; POST /grpc
            Pass EngineApi Docker Engine 28.5; to 1.51
            Pass BuildKit mergeop; several outputs; records of builds
            Pass ImageStore containerd store; several platforms
            Pass Exporters image, registry, docker, oci (file, layout), local, tar, cacheonly can be had
            Pass DockerInDocker snapshotter overlayfs
            Pass GcPolicy rules: at most
            """
        },
        {
            EngineKind.Docker26, Engine + "\n" + Classic + """

            Pass Connection Docker Engine 26.1; POST /grpc
            Pass EngineApi to 1.45
            Pass BuildKit several outputs; records of builds
            Warning GcPolicy never cleaned; daemon.json
            """
        },
        {
            EngineKind.Docker20, Engine + "\n" + Classic + """

            Pass Connection Docker Engine 20.10; POST /grpc
            Pass EngineApi Docker Engine 20.10; to 1.41
            Warning ImageStore Update the Docker Engine: from version 24 on
            Warning BuildKit does not tell its version; lacks several outputs of one build (BuildKit 0.13, Docker Engine 26); records of builds; Update the Docker Engine
            Warning GcPolicy never cleaned; daemon.json
            """
        },
        { EngineKind.BuildkitdUnix, Buildkitd + "\nSkipped Tls unix://\nPass Connection a buildkitd; directly by HTTP/2" },
        { EngineKind.BuildkitdTls, Buildkitd + "\nPass Tls the daemon's 20; the client's 20; the authority's 20\nPass Connection directly by HTTP/2, by TLS" },
    };

    [SkippableTheory]
    [MemberData(nameof(Expectations))]
    public async Task Every_check_says_what_is_true_of_the_daemon(EngineKind kind, string expected)
    {
        var engine = await TestEngines.GetAsync(kind);

        var checks = await _doctor.RunAsync(TestEndpoints.For(engine));

        Assert.Equal(BuildKitDoctor.CheckNames, checks.Select(check => check.Name));
        Doctor.AssertChecks(ThisSide, checks);
        Doctor.AssertChecks(expected, checks);
        Assert.All(checks.Where(check => check.Status == BuildKitCheckStatus.Pass), check => Assert.Null(check.ErrorId));
    }

    [SkippableTheory]
    [InlineData(EngineKind.Docker28Graphdriver)]
    [InlineData(EngineKind.Docker28Containerd)]
    [InlineData(EngineKind.Docker20)]
    [InlineData(EngineKind.BuildkitdUnix)]
    public async Task Exporters_are_tried_where_it_is_asked_for(EngineKind kind)
    {
        var engine = await TestEngines.GetAsync(kind);

        var checks = await _doctor.RunAsync(TestEndpoints.For(engine), request => request with { Probe = true, Includes = name => name == "Exporters" });

        Doctor.AssertChecks("Pass Exporters can be had; Each was tried", checks);
        Assert.Single(checks);
    }

    [SkippableFact]
    public async Task The_trial_build_leaves_no_record_of_a_build_and_grows_no_cache()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.BuildkitdUnix);
        string[] wanted = ["TrialBuild", "Cache"];
        var first = await _doctor.RunAsync(TestEndpoints.For(engine), request => request with { Includes = wanted.Contains });
        var second = await _doctor.RunAsync(TestEndpoints.For(engine), request => request with { Includes = wanted.Contains });

        Assert.Equal(wanted, first.Select(check => check.Name));
        Doctor.AssertChecks("Pass Cache in 2 records", first);
        Assert.Equal(first[1].Detail, second[1].Detail);
        var histories = await CommandResult.RunAsync(await TestEngines.GetProgramAsync("buildctl"), ["--addr", engine.Address.OriginalString, "debug", "histories", "--format", "{{.Record.Ref}}"]);
        Assert.Equal(string.Empty, histories.OutputOrThrow());
    }

    [SkippableFact]
    public async Task An_engine_whose_data_lies_on_an_overlay_can_not_mount_layers()
    {
        await using var engine = await TestEngines.StartPrivateAsync(EngineKind.Docker28Containerd);
        await engine.KillAsync();
        await engine.RestartOnOverlayAsync();

        var checks = await _doctor.RunAsync(TestEndpoints.For(engine));

        Doctor.AssertChecks(
            """
            Fail TrialBuild overlay; invalid argument
            Skipped Clock TrialBuild has failed
            Fail DockerInDocker can't mount one layer over another; a volume for /var/lib/docker
            Pass Cache the build cache holds
            """,
            checks);
    }

    [SkippableFact]
    public async Task Platforms_that_are_wanted_and_missing_fail()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);

        // The platform's own is there in any spelling.
        var checks = await _doctor.RunAsync(
            TestEndpoints.For(engine), request => request with { Platforms = ["linux/s390x", "linux/amd64", "linux/x86_64"], Includes = name => name == "Platforms" });

        Doctor.AssertChecks("Fail Platforms linux/s390x is wanted; binfmt", checks);
        Assert.Equal("BuildKit.PlatformNotEmulated", checks[0].ErrorId);
    }

    [SkippableFact]
    public async Task An_open_connection_is_used_and_stays_open()
    {
        var engine = await TestEngines.GetAsync(EngineKind.Docker28Graphdriver);
        await using var connection = await BuildKitConnection.ConnectAsync(TestEndpoints.For(engine));

        var checks = await _doctor.RunAsync((string?)null, request => request with { Connection = connection });

        Doctor.AssertChecks("Pass Connection is connected to and answers\nSkipped NodeStatus open already\nPass EngineApi 28.5", checks);
        Assert.NotEmpty(await connection.GetWorkersAsync());
    }
}
