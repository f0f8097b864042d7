using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Docker;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("app", "docker.io/library/app:latest")]
    [InlineData("app:1", "docker.io/library/app:1")]
    [InlineData("org/app:1.0_x", "docker.io/org/app:1.0_x")]
    [InlineData("docker.io/app", "docker.io/library/app:latest")]
    [InlineData("index.docker.io/org/app", "docker.io/org/app:latest")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/a/b-c:2", "localhost:5000/a/b-c:2")]
    [InlineData("127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1")]
    [InlineData("[::1]:5000/app:v1", "[::1]:5000/app:v1")]
    [InlineData("Registry.example.com/app", "Registry.example.com/app:latest")]
    public void ANameIsCompleted(string name, string whole) => Assert.Equal(whole, ImageReference.Normalize(name));

    [Theory]
    [InlineData("")]
    [InlineData("App")]
    [InlineData("app:")]
    [InlineData("app:-1")]
    [InlineData("a//b")]
    [InlineData("app name")]
    [InlineData("-app")]
    [InlineData("registry.example.com/App")]
    [InlineData("app,b")]
    public void WhatIsNoNameIsRefused(string name) =>
        Assert.Equal("BuildKit.InvalidTag", Assert.Throws<BuildKitException>(() => ImageReference.Normalize(name)).ErrorId);

    [Theory]
    [InlineData("app", "docker.io", "library/app", "latest", false)]
    [InlineData("127.0.0.1:5000/a/b:1", "127.0.0.1:5000", "a/b", "1", false)]
    [InlineData("app@" + Digest, "docker.io", "library/app", null, true)]
    [InlineData("ghcr.io/org/app:1@" + Digest, "ghcr.io", "org/app", "1", true)]
    public void ANameHasParts(string name, string domain, string path, string? tag, bool hasDigest)
    {
        var reference = ImageReference.Parse(name);
        Assert.Equal((domain, path, tag), (reference.Domain, reference.Path, reference.Tag));
        Assert.Equal(hasDigest ? Digest : null, reference.Digest?.ToString());
        Assert.Equal($"{domain}/{path}{(tag is null ? "" : ":" + tag)}{(hasDigest ? "@" + Digest : "")}", reference.ToString());
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData("app@sha256:12")]
    [InlineData("app@")]
    [InlineData("@" + Digest)]
    [InlineData("app@" + Digest + "@" + Digest)]
    public void WhatIsNoDigestIsRefused(string name) =>
        Assert.Equal("BuildKit.InvalidTag", Assert.Throws<BuildKitException>(() => ImageReference.Parse(name)).ErrorId);
}
