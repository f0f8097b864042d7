using System.Net.Security;
using System.Text;
using BuildKit.Oci;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Transport;
using Xunit;

namespace BuildKit.Tests.Registry;

/// <summary>Registries with TLS, and who may do without.</summary>
public sealed class RegistryTlsTests : IDisposable
{
    private static readonly byte[] Manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{OciMediaType.Index}}","manifests":[]}""");

    private readonly TestCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public async Task A_certificate_needs_somebody_who_vouches_for_it()
    {
        await using var registry = Start(clientCertificate: false);
        using var access = RegistryAccess.As(registry.Authority, RegistryAccount.Writer);
        var error = await FailAsync(access, registry);
        Assert.Equal("BuildKit.RegistryUnreachable", error.ErrorId);
        Assert.Contains("issuer 'CN=test-ca'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"/etc/docker/certs.d/{registry.Authority}/ca.crt", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task An_authority_beside_the_systems_is_enough()
    {
        await using var registry = Start(clientCertificate: false);
        using var access = RegistryAccess.As(registry.Authority, null);
        Install(access, registry, "ca.crt", _certificates.CaFile);
        Assert.Equal(Manifest, (await (await access.ClientAsync(registry.Authority + "/app:1")).GetManifestAsync("1", default)).Content);
    }

    [Fact]
    public async Task A_certificate_may_go_unverified_when_asked()
    {
        await using var registry = Start(clientCertificate: false);
        using var access = RegistryAccess.As(registry.Authority, null, options => options with { IsInsecure = true });
        Assert.Equal(Manifest, (await (await access.ClientAsync(registry.Authority + "/app:1")).GetManifestAsync("1", default)).Content);
    }

    [Fact]
    public async Task A_client_shows_its_certificate()
    {
        await using var registry = Start(clientCertificate: true);
        using var without = RegistryAccess.As(registry.Authority, null);
        Install(without, registry, "ca.crt", _certificates.CaFile);
        Assert.Equal("BuildKit.RegistryUnreachable", (await FailAsync(without, registry)).ErrorId);

        using var with = RegistryAccess.As(registry.Authority, null);
        Install(with, registry, "ca.crt", _certificates.CaFile);
        Install(with, registry, "client.cert", _certificates.CertificateFile);
        Install(with, registry, "client.key", _certificates.KeyFile);
        Assert.Equal(Manifest, (await (await with.ClientAsync(registry.Authority + "/app:1")).GetManifestAsync("1", default)).Content);
    }

    [Fact]
    public async Task A_certificate_file_without_a_certificate_is_an_error()
    {
        await using var registry = Start(clientCertificate: false);
        using var access = RegistryAccess.As(registry.Authority, null);
        Install(access, registry, "ca.crt", _certificates.KeyFile);
        Assert.Equal("BuildKit.TlsFileInvalid", (await FailAsync(access, registry)).ErrorId);
    }

    [Fact]
    public async Task An_encrypted_registry_sends_nobody_to_where_nothing_is_encrypted()
    {
        await using var registry = Start(clientCertificate: false);
        await using var plain = new HostileRegistry();
        registry.Refuse = request => request.Path == "/v2/" ? null : new HostileRegistry.Answer(307, []).With("Location", $"http://{plain.Authority}/");
        using var access = RegistryAccess.As(registry.Authority, null);
        Install(access, registry, "ca.crt", _certificates.CaFile);
        var error = await FailAsync(access, registry);
        Assert.Equal("BuildKit.RegistryFailed", error.ErrorId);
        Assert.Contains("not encrypted", error.Message, StringComparison.Ordinal);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task A_token_server_elsewhere_gets_no_password_unencrypted()
    {
        await using var registry = Start(clientCertificate: false);
        registry.Refuse = _ => HostileRegistry.Answer.Error(401, "UNAUTHORIZED", "who are you").With("WWW-Authenticate", "Bearer realm=\"http://tokens.invalid/token\",service=\"s\"");
        using var access = RegistryAccess.As(registry.Authority, RegistryAccount.Writer);
        Install(access, registry, "ca.crt", _certificates.CaFile);
        var error = await FailAsync(access, registry);
        Assert.Equal("BuildKit.RegistryDenied", error.ErrorId);
        Assert.Contains("unencrypted", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_plain_registry_of_this_machine_sends_no_password_to_another_one_either()
    {
        await using var elsewhere = StartElsewhere();
        elsewhere.Refuse = _ => new HostileRegistry.Answer(200, "{\"token\":\"T\"}"u8.ToArray());
        await using var registry = new HostileRegistry();
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        registry.Refuse = request => request.Headers.ContainsKey("Authorization") ? null
            : HostileRegistry.Answer.Error(401, "UNAUTHORIZED", "who are you").With("WWW-Authenticate", $"Bearer realm=\"http://{elsewhere.Authority}/token\",service=\"s\"");

        using var access = RegistryAccess.As(registry.Authority, RegistryAccount.Writer);
        var error = await FailAsync(access, registry);
        Assert.Equal("BuildKit.RegistryDenied", error.ErrorId);
        Assert.Contains("unencrypted", error.Message, StringComparison.Ordinal);
        Assert.Contains("-Insecure", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Requests);

        using var anonymous = RegistryAccess.As(registry.Authority, null);
        Assert.Equal(Manifest, await ReadAsync(anonymous, registry));
        using var insecure = RegistryAccess.As(registry.Authority, RegistryAccount.Writer, options => options with { IsInsecure = true });
        Assert.Equal(Manifest, await ReadAsync(insecure, registry));
    }

    [SkippableFact]
    public async Task A_plain_registry_elsewhere_is_spoken_to_only_when_asked()
    {
        await using var registry = StartElsewhere();
        using var access = RegistryAccess.As(registry.Authority, null);
        var error = await FailAsync(access, registry);
        Assert.Equal("BuildKit.RegistryUnreachable", error.ErrorId);
        Assert.Contains("-Insecure", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);

        using var insecure = RegistryAccess.As(registry.Authority, null, options => options with { IsInsecure = true });
        Assert.Equal(Manifest, await ReadAsync(insecure, registry));
    }

    private static HostileRegistry StartElsewhere()
    {
        var address = HostileRegistry.OtherAddress();
        Skip.If(address is null, "This machine has no address but the loopback.");
        var registry = new HostileRegistry(address: address);
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        return registry;
    }

    private HostileRegistry Start(bool clientCertificate)
    {
        var registry = new HostileRegistry(new SslServerAuthenticationOptions
        {
            ServerCertificate = _certificates.Issue("server", DateTimeOffset.UtcNow.AddDays(1)),
            ClientCertificateRequired = clientCertificate,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => !clientCertificate || certificate is not null,
        });
        registry.AddManifest("1", OciMediaType.Index, Manifest);
        return registry;
    }

    private static async Task<byte[]> ReadAsync(RegistryAccess access, HostileRegistry registry) =>
        (await (await access.ClientAsync(registry.Authority + "/app:1")).GetManifestAsync("1", default)).Content;

    private static async Task<BuildKitException> FailAsync(RegistryAccess access, HostileRegistry registry) =>
        await Assert.ThrowsAnyAsync<BuildKitException>(async () => await (await access.ClientAsync(registry.Authority + "/app:1")).GetManifestAsync("1", default));

    private static void Install(RegistryAccess access, HostileRegistry registry, string name, string file)
    {
        var folder = Path.Combine(access.Options.CertificateDirectories[0], registry.Authority);
        Directory.CreateDirectory(folder);
        File.Copy(file, Path.Combine(folder, name));
    }
}
