using BuildKit.Oci.Copying;
using BuildKit.Tests.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Oci.Copying;

public sealed class OciAddressTests
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [SkippableTheory]
    [InlineData("oci-layout:///a/b", OciTransport.OciLayout, "/a/b", null)]
    [InlineData("oci-layout:///a/b:1", OciTransport.OciLayout, "/a/b", "1")]
    [InlineData("oci-layout:///a/b:1@" + Digest, OciTransport.OciLayout, "/a/b", Digest)]
    [InlineData("oci:/a/b:registry.example.com/app:1", OciTransport.OciLayout, "/a/b", "registry.example.com/app:1")]
    [InlineData("oci-archive:/a/b.tar", OciTransport.OciArchive, "/a/b.tar", null)]
    [InlineData("oci-archive:/a/b.tar:1", OciTransport.OciArchive, "/a/b.tar", "1")]
    [InlineData("oci-archive:/a/b.tar@" + Digest, OciTransport.OciArchive, "/a/b.tar", Digest)]
    [InlineData("docker-archive:/a/b.tar:app:1", OciTransport.DockerArchive, "/a/b.tar", "app:1")]
    [InlineData("docker://app", OciTransport.Registry, null, "docker.io/library/app:latest")]
    [InlineData("docker://app@" + Digest, OciTransport.Registry, null, "docker.io/library/app@" + Digest)]
    [InlineData("docker-daemon:app:1", OciTransport.DockerDaemon, null, "docker.io/library/app:1")]
    [InlineData("docker-daemon:" + Digest, OciTransport.DockerDaemon, null, Digest)]
    [InlineData("127.0.0.1:5000/app:1", OciTransport.Registry, null, "127.0.0.1:5000/app:1")]
    [InlineData("localhost/app", OciTransport.Registry, null, "localhost/app:latest")]
    [InlineData("ghcr.io/org/app@" + Digest, OciTransport.Registry, null, "ghcr.io/org/app@" + Digest)]
    [InlineData("/a/b", OciTransport.OciLayout, "/a/b", null)]
    [InlineData("/a/b:1", OciTransport.OciLayout, "/a/b", "1")]
    [InlineData("/a/b.tar", OciTransport.OciArchive, "/a/b.tar", null)]
    [InlineData("/a/b.tar:1", OciTransport.OciArchive, "/a/b.tar", "1")]
    public void An_address_is_read_and_written(string text, OciTransport transport, string? path, string? reference)
    {
        Skip.If(OperatingSystem.IsWindows(), "These are paths of Unix.");
        var address = OciAddress.Parse(text);
        Assert.Equal((transport, path, reference), (address.Transport, address.Path, address.Reference));
        Assert.Equal(address, OciAddress.Parse(address.ToString()));
    }

    [Theory]
    [InlineData("alpine", "docker://alpine")]
    [InlineData("org/app:1", "docker://org/app:1")]
    [InlineData("https://ghcr.io/app", "'https://' is no place")]
    [InlineData("docker://", "nothing follows")]
    [InlineData("oci-archive:/a/b.tar:", "no name follows")]
    public void What_may_be_several_things_or_none_is_refused(string text, string words)
    {
        var error = Assert.Throws<BuildKitException>(() => OciAddress.Parse(text));
        Assert.Equal("BuildKit.InvalidAddress", error.ErrorId);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_exists_is_taken_as_it_is_written()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["layout:1"]);
        File.WriteAllText(directory["image"], "");
        Assert.Equal((OciTransport.OciLayout, directory["layout:1"], null), Parts("layout:1"));
        Assert.Equal((OciTransport.OciArchive, directory["image"], null), Parts("image"));
        Assert.Equal((OciTransport.OciArchive, directory["image"], "2"), Parts("./image:2"));
        Assert.Equal((OciTransport.OciLayout, directory["new"], "2"), Parts("./new:2"));
        Assert.Equal((OciTransport.DockerArchive, directory["image"], "a:1"), Parts("docker-archive:image:a:1"));

        (OciTransport, string?, string?) Parts(string text)
        {
            var address = OciAddress.Parse(text, path => Path.GetFullPath(path, directory.Path));
            return (address.Transport, address.Path, address.Reference);
        }
    }
}
