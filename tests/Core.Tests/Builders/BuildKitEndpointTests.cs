using BuildKit.Builders;
using BuildKit.Transport;
using Xunit;

namespace BuildKit.Tests.Builders;

public sealed class BuildKitEndpointTests
{
    private static readonly BuildKitTlsOptions Tls = new() { CaFile = "/ca.pem" };

    [Theory]
    [InlineData("unix:///run/docker.sock", "unix:///run/docker.sock")]
    [InlineData("UNIX:///run/docker.sock", "unix:///run/docker.sock")]
    [InlineData("tcp://10.0.0.2:1234", "tcp://10.0.0.2:1234")]
    [InlineData("tcp://10.0.0.2:1234/", "tcp://10.0.0.2:1234")]
    [InlineData("tcp://builder.example", "tcp://builder.example:2375")]
    [InlineData("tcp://[::1]:1234", "tcp://[::1]:1234")]
    [InlineData("tcp://[::1]", "tcp://[::1]:2375")]
    [InlineData("npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine")]
    [InlineData(@"npipe://\\.\pipe\docker_engine", "npipe:////./pipe/docker_engine")]
    public void An_address_is_read(string address, string read)
    {
        var endpoint = BuildKitEndpoint.Parse(address);
        Assert.Equal(read, endpoint.Address);
        Assert.Equal(read, endpoint.ToString());
        Assert.Equal(read, endpoint.Name);
        Assert.Equal(BuildKitEndpoint.Parse(read), endpoint);
    }

    [Theory]
    [InlineData("unix:///run/docker.sock", typeof(UnixSocketTransport))]
    [InlineData("tcp://127.0.0.1:1234", typeof(TcpTransport))]
    [InlineData("npipe:////./pipe/docker_engine", typeof(NamedPipeTransport))]
    public async Task An_address_leads_to_its_transport(string address, Type type)
    {
        using var transport = await BuildKitEndpoint.Parse(address).CreateTransportAsync(CancellationToken.None);
        Assert.IsType(type, transport);
    }

    [Fact]
    public void With_TLS_the_port_is_another() => Assert.Equal("tcp://h:2376", BuildKitEndpoint.Parse("tcp://h", Tls).Address);

    [Fact]
    public void A_socket_needs_no_TLS() => Assert.Null(BuildKitEndpoint.Parse("unix:///run/docker.sock", Tls).Tls);

    [Fact]
    public void Who_chose_an_endpoint_does_not_make_it_another()
    {
        var endpoint = BuildKitEndpoint.Parse("tcp://h:1", Tls);
        Assert.Equal(endpoint, endpoint with { Source = "$env:DOCKER_HOST", Name = "default" });
        Assert.NotEqual(endpoint, BuildKitEndpoint.Parse("tcp://h:1"));
        Assert.NotEqual(endpoint, BuildKitEndpoint.Parse("tcp://h:2", Tls));
    }

    [Theory]
    [InlineData("/run/docker.sock")]
    [InlineData("unix://docker.sock")]
    [InlineData("unix://")]
    [InlineData("tcp://")]
    [InlineData("tcp://h:0")]
    [InlineData("tcp://h:70000")]
    [InlineData("tcp://h:port")]
    [InlineData("tcp://::1:1234")]
    [InlineData("tcp://[::1]1234")]
    [InlineData("tcp://h:1/path")]
    [InlineData("tcp://h:1?key=x")]
    [InlineData("npipe://docker_engine")]
    [InlineData("npipe:////./mailslot/x")]
    public void Another_address_is_refused(string address)
    {
        var failure = Assert.Throws<BuildKitException>(() => BuildKitEndpoint.Parse(address));
        Assert.Equal("BuildKit.InvalidEndpoint", failure.ErrorId);
        Assert.Equal(BuildKitErrorCategory.InvalidArgument, failure.Category);
    }

    [Theory]
    [InlineData("tcp://user:hunter2@h:1", "BuildKit.InvalidEndpoint")]
    [InlineData("user:hunter2@h:1", "BuildKit.InvalidEndpoint")]
    [InlineData("ssh://user:hunter2@h", "BuildKit.InvalidEndpoint")]
    [InlineData("fd://", "BuildKit.UnsupportedEndpoint")]
    public void What_is_not_supported_is_refused_without_its_secrets(string address, string id)
    {
        var failure = Assert.Throws<BuildKitException>(() => BuildKitEndpoint.Parse(address));
        Assert.Equal(id, failure.ErrorId);
        Assert.DoesNotContain("hunter2", failure.ToString() + failure.Target, StringComparison.Ordinal);
    }
}
