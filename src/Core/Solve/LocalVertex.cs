using System.Security.Cryptography;

namespace BuildKit.Solve;

/// <summary>Steps of a build that happen on this side, shown like the daemon's own.</summary>
internal static class LocalVertex
{
    /// <summary>A step that begins at this moment.</summary>
    /// <param name="name">Its name for a person.</param>
    public static SolveVertex Start(string name)
    {
        var digest = "sha256:" + Convert.ToHexString(RandomNumberGenerator.GetBytes(32)).ToLowerInvariant();
        return new SolveVertex(digest, [], name, DateTimeOffset.UtcNow, null, false, string.Empty, null);
    }
}
