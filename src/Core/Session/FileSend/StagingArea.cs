using System.Security.Cryptography;
using System.Text;

namespace BuildKit.Session.FileSend;

/// <summary>
/// The place beside a destination where an output grows, and the directories that had to be made for it. Its name can't be guessed, so that a daemon can't send an entry of that name.
/// </summary>
internal sealed class StagingArea
{
    private const int LongestName = 200;

    private readonly List<string> _createdParents;

    private StagingArea(string path, List<string> createdParents)
    {
        Path = path;
        _createdParents = createdParents;
    }

    /// <summary><c>.NAME.RANDOM.partial</c>; nothing is there yet.</summary>
    public string Path { get; }

    /// <summary>Finds a place in a directory, and makes the directory with its parents where it is missing.</summary>
    /// <param name="parent">The directory, absolute.</param>
    /// <param name="name">The name of what grows.</param>
    public static StagingArea Create(string parent, string name)
    {
        var created = new List<string>();
        var missing = new Stack<string>();
        for (var at = parent; !Directory.Exists(at) && System.IO.Path.GetDirectoryName(at) is { } above; at = above)
            missing.Push(at);
        try
        {
            foreach (var directory in missing)
            {
                ExportFileSystem.Guard(directory, static path => Directory.CreateDirectory(path));
                created.Add(directory);
            }
        }
        catch (ExportException)
        {
            Remove(created);
            throw;
        }
        var random = Convert.ToHexString(RandomNumberGenerator.GetBytes(8)).ToLowerInvariant();
        var staging = Encoding.UTF8.GetByteCount(name) > LongestName ? $".{random}.partial" : $".{name}.{random}.partial";
        return new StagingArea(System.IO.Path.Combine(parent, staging), created);
    }

    /// <summary>The parents stay: something was put into place in them.</summary>
    public void KeepParents() => _createdParents.Clear();

    /// <summary>Removes the parents that were made, as far as they are empty.</summary>
    public void RemoveParents() => Remove(_createdParents);

    private static void Remove(List<string> directories)
    {
        for (var i = directories.Count - 1; i >= 0; i--)
        {
            try
            {
                Directory.Delete(directories[i]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody else put something there meanwhile; then it has to stay.
                return;
            }
        }
    }
}
