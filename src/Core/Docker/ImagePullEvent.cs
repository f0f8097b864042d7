namespace BuildKit.Docker;

/// <summary>One piece of news about a pull.</summary>
/// <param name="Layer">The layer's short id as the Engine gives it; null for what concerns the whole image.</param>
/// <param name="Status">The Engine's words, such as <c>Downloading</c>.</param>
/// <param name="Current">Bytes so far; 0 where nothing moves.</param>
/// <param name="Total">Bytes in all; 0 where it is not known.</param>
public sealed record ImagePullEvent(string? Layer, string Status, long Current, long Total);
