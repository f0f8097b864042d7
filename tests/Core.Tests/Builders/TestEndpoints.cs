using BuildKit.Builders;
using BuildKit.Tests.Engines;
using BuildKit.Transport;

namespace BuildKit.Tests.Builders;

internal static class TestEndpoints
{
    public static BuildKitTlsOptions Tls(TestEngine engine) =>
        new() { CaFile = engine.CaCertificatePath, CertificateFile = engine.ClientCertificatePath, KeyFile = engine.ClientKeyPath };

    public static BuildKitEndpoint For(TestEngine engine) =>
        BuildKitEndpoint.Parse(engine.Address.OriginalString, engine.Kind == EngineKind.BuildkitdTls ? Tls(engine) : null) with { ConnectTimeout = Poll.Patience };
}
