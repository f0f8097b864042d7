using System.Text;
using BuildKit.Builders.Drivers;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Builders.Drivers;

/// <summary>A buildkitd's config, and the certificates that travel with it.</summary>
public sealed class BuildkitdConfigFilesTests
{
    private const string Config = """
        # a comment with [brackets] and "quotes"
        debug = true # and one behind
        insecure-entitlements = [ "network.host", 'security.insecure', ]
        [worker.oci]
          gckeepstorage = 9_000
          labels = { "a.b" = 'ca = ["x"]', when = 2024-01-01T00:00:00Z }
        [registry."docker.io"]
          mirrors = ["hub.proxy", '''C:\ca''']
        [registry."my.registry:5000"]
          http = false
          ca = [ "FOLDER/ca.pem", # the other is meant from here
                 "more/ca.pem" ]
          [[registry."my.registry:5000".keypair]]
            key = "FOLDER/k\u0065y.pem"
            cert = 'cert.pem'
        [registry.other]
          keypair = [ { key = "key.pem", cert = "cert.pem" } ]
          x.y.ca = ["not this"]
        """;

    private const string Copied = """
        # a comment with [brackets] and "quotes"
        debug = true # and one behind
        insecure-entitlements = [ "network.host", 'security.insecure', ]
        [worker.oci]
          gckeepstorage = 9_000
          labels = { "a.b" = 'ca = ["x"]', when = 2024-01-01T00:00:00Z }
        [registry."docker.io"]
          mirrors = ["hub.proxy", '''C:\ca''']
        [registry."my.registry:5000"]
          http = false
          ca = [ "/etc/buildkit/certs/my.registry_5000/ca.pem", # the other is meant from here
                 "/etc/buildkit/certs/my.registry_5000/2-ca.pem" ]
          [[registry."my.registry:5000".keypair]]
            key = "/etc/buildkit/certs/my.registry_5000/key.pem"
            cert = "/etc/buildkit/certs/my.registry_5000/cert.pem"
        [registry.other]
          keypair = [ { key = "/etc/buildkit/certs/other/key.pem", cert = "/etc/buildkit/certs/other/cert.pem" } ]
          x.y.ca = ["not this"]
        """;

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task CertificatesAreTakenAlongAndAllElseStaysAsItWas(string lineBreak)
    {
        using var folder = new BuildContextDirectory().Write("ca.pem", "one").Write("more/ca.pem", "two").Write("key.pem", "key").Write("cert.pem", "cert");
        folder.Write("my.toml", Config.ReplaceLineEndings(lineBreak).Replace("FOLDER", folder.Path, StringComparison.Ordinal));

        var files = (await BuildkitdConfigFiles.ReadAsync(folder.At("my.toml"), default)).ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Value));

        Assert.Equal(Copied.ReplaceLineEndings(lineBreak), files["buildkitd.toml"]);
        Assert.Equal("one", files["certs/my.registry_5000/ca.pem"]);
        Assert.Equal("two", files["certs/my.registry_5000/2-ca.pem"]);
        Assert.Equal("key", files["certs/other/key.pem"]);
        Assert.Equal(7, files.Count);
    }

    [Theory]
    [InlineData("debug = true\n[worker\n", 2, "']'")]
    [InlineData("\n\nname = plain", 3, "without quotes")]
    [InlineData("name = \"open\nnext = 1", 1, "no end")]
    [InlineData("name = '''open\nnext = 1", 2, "no end")]
    [InlineData("list = [ \"a\",\n  \"b\"\n  \"c\" ]", 3, "','")]
    [InlineData("list = [ \"a\",", 1, "a value is missing")]
    [InlineData("a = 1 b = 2", 1, "a line has to end")]
    [InlineData("a.b. = 1", 1, "a key is missing")]
    [InlineData("a\nb = 1", 1, "'='")]
    [InlineData("a = \"\\q\"", 1, "'\\q'")]
    [InlineData("a = \"\\ud800\"", 1, "a character")]
    [InlineData("a = { b = 1, }", 1, "a key is missing")]
    [InlineData("a = 1.2.3.4", 1, "without quotes")]
    public async Task AMistakeIsToldWithItsLine(string text, int line, string why)
    {
        using var folder = new BuildContextDirectory().Write("my.toml", text);
        var error = await Assert.ThrowsAsync<BuildKitException>(() => BuildkitdConfigFiles.ReadAsync(folder.At("my.toml"), default));
        Assert.Equal("BuildKit.BuildkitdConfigInvalid", error.ErrorId);
        Assert.Contains($"line {line}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a = \"\"\"\nx\"\"y\\\n   z\"\"\"\"\"", "x\"\"yz\"\"")]
    [InlineData("a = '''\nx\\n'''", "x\\n")]
    [InlineData("a = \"\\t\\\"\\U0001F433\"", "\t\"🐳")]
    [InlineData("\"a b\".'c' = ''", "")]
    public void StringsAreReadInAllTheirForms(string text, string value) => Assert.Equal(value, Assert.Single(TomlStrings.Find(text)).Value);

    [Fact]
    public async Task WhatIsNotThereIsTold()
    {
        using var folder = new BuildContextDirectory().Write("my.toml", "[registry.\"r.io\"]\nca = [\"gone.pem\"]");
        var config = await Assert.ThrowsAsync<BuildKitException>(() => BuildkitdConfigFiles.ReadAsync(folder.At("none.toml"), default));
        Assert.Equal("BuildKit.BuildkitdConfigNotFound", config.ErrorId);
        var certificate = await Assert.ThrowsAsync<BuildKitException>(() => BuildkitdConfigFiles.ReadAsync(folder.At("my.toml"), default));
        Assert.Equal("BuildKit.BuildkitdConfigNotFound", certificate.ErrorId);
        Assert.Contains("registry 'r.io', '" + folder.At("gone.pem"), certificate.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheDefaultIsBuildxs()
    {
        using var store = new BuildContextDirectory();
        Assert.Null(BuildkitdConfigFiles.FindDefault(store.Path));
        store.Write("buildkitd.default.toml", "");
        Assert.Equal(store.At("buildkitd.default.toml"), BuildkitdConfigFiles.FindDefault(store.Path));
    }
}
