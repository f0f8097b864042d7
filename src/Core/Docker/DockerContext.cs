using BuildKit.Transport;

namespace BuildKit.Docker;

/// <summary>A docker context: where its Engine is and how TLS is spoken to it.</summary>
/// <param name="Name">The context's name.</param>
/// <param name="Host">The Engine's address, <c>tcp://10.0.0.2:2376</c>.</param>
/// <param name="Tls">The TLS material, or null where there is none.</param>
internal sealed record DockerContext(string Name, string Host, BuildKitTlsOptions? Tls);
