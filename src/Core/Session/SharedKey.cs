using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Session;

/// <summary>
/// The key by which the daemon recognises the same context again, so that only what changed is sent. buildx takes the directory's
/// name and a random number of the machine's; the whole path, hashed, also tells two directories of the same name apart.
/// </summary>
internal static class SharedKey
{
    public static string For(string directory)
    {
        var identity = $"{Environment.MachineName}\n{Environment.UserName}\n{Path.TrimEndingDirectorySeparator(directory)}";
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..24].ToLowerInvariant();
        return $"{Path.GetFileName(Path.TrimEndingDirectorySeparator(directory))}:{hash}";
    }
}
