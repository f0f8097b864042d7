using System.Net;
using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Docker;

/// <summary>What Engines say where a test can't have them say it cheaply; <see cref="ImagePullErrorTests"/> has the rest.</summary>
public sealed class PullErrorTableTests
{
    [Theory]
    [InlineData("failed to register layer: write /usr/lib/libdenied.so: no space left on device", "BuildKit.DaemonDiskFull", "docker system df")]
    [InlineData("authorization denied by plugin policy: not today", "BuildKit.EngineAccessDenied", "plugin")]
    [InlineData("'scratch' is a reserved name", "BuildKit.InvalidTag", "registry.example.com/team/app:1.0")]
    [InlineData("toomanyrequests: You have reached your unauthenticated pull rate limit.", "BuildKit.RegistryRateLimited", "docker login registry.example.com:5000")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": http: server gave HTTP response to HTTPS client", "BuildKit.RegistryNotTls", "\"insecure-registries\": [\"registry.example.com:5000\"]")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": tls: first record does not look like a TLS handshake", "BuildKit.RegistryNotTls", "insecure-registries")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority", "BuildKit.RegistryTlsFailed", "/etc/docker/certs.d/registry.example.com:5000/ca.crt")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": x509: certificate has expired or is not yet valid", "BuildKit.RegistryTlsFailed", "expired")]
    [InlineData("image with reference registry.example.com:5000/denied/app:eof was found but does not match the specified platform: wanted linux/s390x, actual: linux/amd64", "BuildKit.PlatformNotFound", "platform")]
    [InlineData("error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html>\"", "BuildKit.RegistryDenied", "docker login registry.example.com:5000")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": dial tcp: lookup registry.example.com on 10.0.0.1:53: no such host", "BuildKit.RegistryUnreachable", "'docker info'")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": net/http: TLS handshake timeout", "BuildKit.RegistryUnreachable", "network")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "BuildKit.RegistryUnreachable", "network")]
    [InlineData("Get \"https://registry.example.com:5000/v2/\": proxyconnect tcp: dial tcp 10.0.0.2:3128: i/o timeout", "BuildKit.RegistryUnreachable", "proxy")]
    [InlineData("failed to copy: read tcp 10.0.0.3:40000->10.0.0.2:443: read: connection reset by peer", "BuildKit.RegistryUnreachable", "network")]
    [InlineData("received unexpected HTTP status: 502 Bad Gateway", "BuildKit.RegistryFailed", "log")]
    [InlineData("open /var/lib/docker/image/overlay2/x: permission denied", "BuildKit.ImagePullFailed", "log")]
    [InlineData("manifest for registry.example.com:5000/denied/app:eof not found: manifest unknown: manifest unknown", "BuildKit.ImageNotFoundInRegistry", "tag")]
    public void The_words_decide_and_the_advice_fits(string words, string id, string advice)
    {
        var subject = new PullSubject(ImageReference.Parse("registry.example.com:5000/denied/app:eof"), new DockerAuthConfig());

        var failure = PullErrorTable.Create(subject, HttpStatusCode.InternalServerError, words, null);

        Assert.Equal((id, "registry.example.com:5000/denied/app:eof"), (failure.ErrorId, failure.Target));
        Assert.EndsWith($"'registry.example.com:5000/denied/app:eof': {words}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(advice, failure.RecommendedAction, StringComparison.Ordinal);
    }
}
