using BuildKit.Docker;
using Xunit;

namespace BuildKit.Tests.Docker;

public sealed class ImageReferenceTests
{
    [Theory]
    [InlineData("app", "docker.io/library/app:latest")]
    [InlineData("app:1", "docker.io/library/app:1")]
    [InlineData("org/app:1.0_x", "docker.io/org/app:1.0_x")]
    [InlineData("docker.io/app", "docker.io/library/app:latest")]
    [InlineData("index.docker.io/org/app", "docker.io/org/app:latest")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/a/b-c:2", "localhost:5000/a/b-c:2")]
    [InlineData("127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1")]
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
    [InlineData("app@sha256:f1ecb33fdc513bc4c4e6478feeb0d08534a69ef93e09ed8ac1ace8a19ae8781b")]
    public void WhatIsNoNameIsRefused(string name) =>
        Assert.Equal("BuildKit.InvalidTag", Assert.Throws<BuildKitException>(() => ImageReference.Normalize(name)).ErrorId);

    [Theory]
    [InlineData("app", "docker.io/library/app:latest", "docker.io/library/app:latest")]
    [InlineData("app@sha256:{0}", "docker.io/library/app@sha256:{0}", "docker.io/library/app@sha256:{0}")]
    [InlineData("127.0.0.1:5000/a/b:1@sha256:{0}", "127.0.0.1:5000/a/b:1@sha256:{0}", "127.0.0.1:5000/a/b@sha256:{0}")]
    public void ANameMayHaveADigest(string name, string whole, string exact)
    {
        var hex = new string('a', 64);
        var reference = ImageReference.Parse(string.Format(System.Globalization.CultureInfo.InvariantCulture, name, hex));
        Assert.Equal(whole.Replace("{0}", hex, StringComparison.Ordinal), reference.ToString());
        Assert.Equal(exact.Replace("{0}", hex, StringComparison.Ordinal), reference.Exact);
    }

    [Theory]
    [InlineData("app@")]
    [InlineData("app@sha256:short")]
    [InlineData("app@md5:f1ecb33fdc513bc4c4e6478feeb0d085")]
    [InlineData("@sha256:f1ecb33fdc513bc4c4e6478feeb0d08534a69ef93e09ed8ac1ace8a19ae8781b")]
    public void WhatIsNoDigestIsRefused(string name) =>
        Assert.Equal("BuildKit.InvalidTag", Assert.Throws<BuildKitException>(() => ImageReference.Parse(name)).ErrorId);
}
