using System.Text;
using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Docker;

public sealed class DockerConfigFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("buildkit-config-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Everything_that_is_used_is_read()
    {
        var config = await LoadAsync(
            $$$"""
            {
              "auths": {
                "https://index.docker.io/v1/": { "auth": "{{{Base64("ann:pa:ss")}}}" },
                "ghcr.io": { "username": "bob", "password": "word", "email": "x@y" },
                "azurecr.io": { "auth": "{{{Base64("00000000:")}}}", "identitytoken": "refresh" },
                "quay.io": { "registrytoken": "bearer" },
                "127.0.0.1:5000": {}
              },
              "credsStore": "desktop",
              "credHelpers": { "gcr.io": "gcloud" },
              "currentContext": "remote",
              "proxies": { "default": { "httpProxy": "http://p:3128", "httpsProxy": "http://p:3129", "noProxy": "localhost", "ftpProxy": "f", "allProxy": "a" } },
              "HttpHeaders": { "X-Meta": "1" },
              "plugins": { "x": { "y": "z" } }, "aliases": { "builder": "buildx" }, "features": { "hooks": "false" }
            }
            """);

        Assert.Equal(5, config.Auths.Count);
        Assert.Equal(("ann", "pa:ss"), (config.Auths["https://index.docker.io/v1/"].Username, config.Auths["https://index.docker.io/v1/"].Password));
        Assert.Equal(("bob", "word"), (config.Auths["ghcr.io"].Username, config.Auths["ghcr.io"].Password));
        Assert.Equal(("00000000", "refresh"), (config.Auths["azurecr.io"].Username, config.Auths["azurecr.io"].IdentityToken));
        Assert.Equal("bearer", config.Auths["quay.io"].RegistryToken);
        Assert.Equal(new DockerAuthConfig(), config.Auths["127.0.0.1:5000"]);
        Assert.Equal("desktop", config.CredentialsStore);
        Assert.Equal("gcloud", config.CredentialHelpers["gcr.io"]);
        Assert.Equal("remote", config.CurrentContext);
        Assert.Equal(
            new DockerProxyConfig { HttpProxy = "http://p:3128", HttpsProxy = "http://p:3129", NoProxy = "localhost", FtpProxy = "f", AllProxy = "a" }, config.Proxies["default"]);
        Assert.Equal("1", config.HttpHeaders["X-Meta"]);
    }

    [Fact]
    public async Task A_missing_file_is_an_empty_config()
    {
        var config = await DockerConfigFile.LoadAsync(Path.Combine(_directory.FullName, "nowhere"), CancellationToken.None);
        Assert.Empty(config.Auths);
        Assert.Empty(config.CredentialHelpers);
        Assert.Null(config.CurrentContext);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("\uFEFF{ \"credsStore\": \"\" }")]
    public async Task A_file_without_settings_is_an_empty_config(string text)
    {
        var config = await LoadAsync(text);
        Assert.Empty(config.Auths);
        Assert.Null(config.CredentialsStore);
    }

    [Theory]
    [InlineData("{\n  \"auths\": {\n    \"ghcr.io\": { \"auth\": \"aHVudGVyMjJ4\", }\n", "line 3, position")]
    [InlineData("{ \"auths\": { \"ghcr.io\": \"aHVudGVyMjJ4\" } }", "$.auths")]
    [InlineData("{ \"auths\": { \"ghcr.io\": { \"auth\": \"aHVudGVyMjJ4!\" } } }", "auths['ghcr.io'].auth is not base64")]
    [InlineData("{ \"auths\": { \"ghcr.io\": { \"auth\": \"aHVudGVyMjJ4\" } } }", "auths['ghcr.io'].auth holds no user:password")]
    public async Task A_malformed_file_is_told_with_its_place_and_without_its_secrets(string text, string where)
    {
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => LoadAsync(text));
        Assert.Equal("BuildKit.DockerConfigInvalid", failure.ErrorId);
        Assert.Contains(Path.Combine(_directory.FullName, "config.json"), failure.Message, StringComparison.Ordinal);
        Assert.Contains(where, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("aHVudGVyMjJ4", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_is_in_the_text_of_an_object()
    {
        var config = await LoadAsync(
            $$$"""{ "auths": { "ghcr.io": { "auth": "{{{Base64("ann:hunter2")}}}", "identitytoken": "hunter2" } }, "proxies": { "default": { "httpProxy": "http://u:hunter2@p" } } }""");
        Assert.DoesNotContain("hunter2", $"{config} {config.Auths["ghcr.io"]} {config.Proxies["default"]}", StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_comes_from_the_environment_or_the_home()
    {
        Assert.Equal("/etc/docker-config", DockerConfigFile.DefaultDirectory(name => name == "DOCKER_CONFIG" ? "/etc/docker-config" : null));
        Assert.Equal(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker"), DockerConfigFile.DefaultDirectory(_ => null));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private async Task<DockerConfigFile> LoadAsync(string json)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "config.json"), json);
        return await DockerConfigFile.LoadAsync(_directory.FullName, CancellationToken.None);
    }
}
