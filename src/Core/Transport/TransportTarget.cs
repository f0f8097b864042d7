namespace BuildKit.Transport;

/// <summary>Where a transport leads, as errors name it.</summary>
/// <param name="Address">The endpoint's address, <c>unix:///run/docker.sock</c>.</param>
/// <param name="Source">The setting that chose it, such as <c>$env:DOCKER_HOST</c>; null where the caller named it.</param>
internal sealed record TransportTarget(string Address, string? Source = null)
{
    public override string ToString() => Source is null ? Address : $"{Address} (chosen by {Source})";
}
