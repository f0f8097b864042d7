using System.Text.RegularExpressions;
using BuildKit.Files;

namespace BuildKit.Solve.Planning;

/// <summary>A git work tree.</summary>
/// <param name="Root">Its root, links resolved.</param>
/// <param name="Revision">The commit that is checked out, <c>-dirty</c> after it where that was asked and is so; null before the first.</param>
/// <param name="RemoteUrl">Where it comes from, without credentials; null where it comes from nowhere.</param>
internal sealed partial record GitWorkTree(string Root, string? Revision, string? RemoteUrl)
{
    /// <summary>Whether a directory or one above it looks like a work tree; no program is run for it.</summary>
    public static bool IsLikely(string directory)
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("GIT_DIR")))
            return true;
        for (var at = RealPath.Of(directory); at is not null; at = Path.GetDirectoryName(at))
            if (Path.Exists(Path.Combine(at, ".git")))
                return true;
        return false;
    }

    /// <summary>Asks git.</summary>
    /// <param name="directory">A directory.</param>
    /// <param name="checkDirty">Whether to look for changes.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>Null for a directory in no work tree.</returns>
    /// <exception cref="GitException">The directory is the root of a work tree, but git is missing or refuses it.</exception>
    public static async Task<GitWorkTree?> FindAsync(string directory, bool checkDirty, CancellationToken cancellationToken)
    {
        var git = GitProgram.Find();
        // In the root of a tree a person expects the information, deeper down there may be none on purpose; so does buildx.
        var isRoot = Directory.Exists(Path.Combine(directory, ".git"));
        if (git is null)
            return isRoot ? throw new GitException("the program git was not found") : null;
        var answers = await Task.WhenAll(
            git.RunAsync(directory, cancellationToken, "rev-parse", "--is-inside-work-tree", "--show-toplevel", "HEAD"),
            git.RunAsync(directory, cancellationToken, "remote", "-v"),
            git.RunAsync(directory, cancellationToken, "for-each-ref", "--points-at", "HEAD", "--format=%(if)%(HEAD)%(then)%(upstream:remotename)%(end)", "refs/heads"))
            .ConfigureAwait(false);
        var tree = answers[0];
        // Before the first commit HEAD means nothing, and comes back as it is with a complaint; what stands before it is right.
        if (tree.Lines is not ["true", var root, ..])
            return isRoot ? throw new GitException($"git says '{tree.Error}'") : null;
        var revision = tree is { ExitCode: 0, Lines: [_, _, var head, ..] } ? head : null;
        if (revision is not null && checkDirty && await IsDirtyAsync(git, directory, cancellationToken).ConfigureAwait(false))
            revision += "-dirty";
        return new GitWorkTree(Path.GetFullPath(root), revision, RemoteUrlOf(answers[1].Lines, answers[2].Lines is [var followed, ..] ? followed : null));
    }

    /// <summary>The path of a file from the root on; null for one that lies outside.</summary>
    public string? Relative(string path) =>
        Path.GetRelativePath(Root, path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal) && !Path.IsPathRooted(relative) ? relative : null;

    /// <summary>A URL without the name and the password in it; null for one in which they can't be told from the rest.</summary>
    public static string? WithoutCredentials(string url)
    {
        if (Authority().Match(url) is not { Success: true } match)
            return url;
        var authority = match.Groups[2].Value;
        var host = authority[(authority.LastIndexOf('@') + 1)..];
        // A password with a slash in it ends what looks like the host in the middle of the password.
        return match.Groups[3].Value.Contains('@', StringComparison.Ordinal) && !HostAndPort().IsMatch(host) ? null : match.Groups[1].Value + host + match.Groups[3].Value;
    }

    private static async Task<bool> IsDirtyAsync(GitProgram git, string directory, CancellationToken cancellationToken) =>
        await git.RunAsync(directory, cancellationToken, "status", "--porcelain", "--ignored").ConfigureAwait(false) is not { ExitCode: 0, Lines: [] };

    /// <summary>The URL of the remote that the branch follows, else of <c>origin</c>, else of <c>upstream</c>.</summary>
    private static string? RemoteUrlOf(IReadOnlyList<string> remotes, string? followed) =>
        new[] { followed, "origin", "upstream" }
            .Select(name => remotes.Select(line => Remote().Match(line)).FirstOrDefault(remote => remote.Groups[1].Value == name)?.Groups[2].Value)
            .FirstOrDefault(url => !string.IsNullOrEmpty(url)) is { } found ? WithoutCredentials(found) : null;

    [GeneratedRegex(@"^(\S+)\t(.*) \(fetch\)", RegexOptions.CultureInvariant)]
    private static partial Regex Remote();

    [GeneratedRegex(@"^([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)(.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Authority();

    [GeneratedRegex(@"^(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(:[0-9]*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex HostAndPort();
}
