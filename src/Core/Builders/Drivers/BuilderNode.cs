using BuildKit.Docker;

namespace BuildKit.Builders.Drivers;

/// <summary>A node as its driver takes it.</summary>
/// <param name="BuilderName">The builder it belongs to.</param>
/// <param name="Node">What the store says of it.</param>
/// <param name="FindEngine">Finds the Docker Engine of a docker context or address.</param>
/// <param name="Config">This user's docker config.</param>
internal sealed record BuilderNode(string BuilderName, BuildKitNode Node, Func<string, CancellationToken, Task<BuildKitEndpoint>> FindEngine, DockerConfigFile Config);
