namespace BuildKit.Docker;

/// <summary>What the headers of <c>/_ping</c> tell of the Engine.</summary>
/// <param name="ApiVersion">The newest API version it speaks, <c>1.51</c>.</param>
/// <param name="EngineVersion">Its version from the <c>Server</c> header, or null where a proxy removed that.</param>
internal sealed record PingResponse(string ApiVersion, string? EngineVersion);
