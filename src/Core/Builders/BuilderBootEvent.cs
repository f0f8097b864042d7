using BuildKit.Docker;

namespace BuildKit.Builders;

/// <summary>One piece of news about a boot.</summary>
/// <param name="Step">The step in a few words, such as <c>pulling image moby/buildkit:buildx-stable-1</c> or <c>creating container buildx_buildkit_a0</c>: the same text until it has ended.</param>
/// <param name="IsCompleted">Whether the step has ended.</param>
/// <param name="Layer">How far a layer of the image is, or null.</param>
/// <param name="Error">Why the step failed; null where it did not.</param>
public sealed record BuilderBootEvent(string Step, bool IsCompleted = false, ImagePullEvent? Layer = null, string? Error = null);
