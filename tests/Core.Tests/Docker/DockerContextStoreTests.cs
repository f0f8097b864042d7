using BuildKit.Docker;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Docker;

public sealed class DockerContextStoreTests : IDisposable
{
    private readonly TestDockerConfig _config = new();

    public void Dispose() => _config.Dispose();

    [Fact]
    public async Task A_context_has_its_host_and_its_TLS_files()
    {
        _config.WriteContext("far", """{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://10.0.0.2:2376","SkipTLSVerify":true}}}""");
        var ca = _config.WriteTls("far", "ca.pem");
        var certificate = _config.WriteTls("far", "cert.pem");
        var key = _config.WriteTls("far", "key.pem");

        Assert.Equal(
            new DockerContext("far", "tcp://10.0.0.2:2376", new BuildKitTlsOptions { CaFile = ca, CertificateFile = certificate, KeyFile = key, SkipVerify = true }),
            await GetAsync("far"));
    }

    [SkippableFact]
    public async Task A_context_of_the_docker_CLI_is_read()
    {
        var docker = await TestEngines.GetProgramAsync("docker");
        using var certificates = new TestCertificates();
        (await CommandResult.RunAsync(
            docker, ["--config", _config.Directory, "context", "create", "bureau", "--docker", $"host=tcp://127.0.0.1:2376,ca={certificates.CaFile},skip-tls-verify=false"])).OutputOrThrow();

        var context = await GetAsync("bureau");
        Assert.Equal("tcp://127.0.0.1:2376", context.Host);
        Assert.Equal(await File.ReadAllTextAsync(certificates.CaFile), await File.ReadAllTextAsync(context.Tls!.CaFile!));
        Assert.Null(context.Tls.KeyFile);
    }

    [Fact]
    public async Task A_context_without_TLS_has_none()
    {
        _config.WriteContext("near", """{"Name":"near","Endpoints":{"docker":{"Host":"unix:///run/x.sock","SkipTLSVerify":false}}}""");
        Assert.Null((await GetAsync("near")).Tls);
    }

    [Fact]
    public async Task A_context_that_does_not_exist_is_told_with_those_that_do()
    {
        _config.WriteContext("near", """{"Name":"near","Endpoints":{"docker":{"Host":"unix:///run/x.sock"}}}""");
        _config.WriteContext("broken", "{");
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("far"));
        Assert.Equal("BuildKit.DockerContextNotFound", failure.ErrorId);
        Assert.Contains("default, near.", failure.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n\"Name\": nothing", "line 2, position")]
    [InlineData("{}", "no Docker endpoint")]
    [InlineData("""{"Endpoints":{"kubernetes":{"Host":"https://k"}}}""", "no Docker endpoint")]
    public async Task A_malformed_context_is_told_with_its_file(string json, string why)
    {
        _config.WriteContext("far", json);
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => GetAsync("far"));
        Assert.Equal("BuildKit.DockerContextInvalid", failure.ErrorId);
        Assert.Contains(_config.MetaPath("far"), failure.Message, StringComparison.Ordinal);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    private Task<DockerContext> GetAsync(string name) => new DockerContextStore(_config.Directory).GetAsync(name, CancellationToken.None);
}
