using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>A git repository on the loopback interface: <c>sub/file</c> is «one» in the tag v1 and «two» on the branch main.</summary>
internal sealed class GitServer : IDisposable
{
    private readonly BuildContextDirectory _directory = new();
    private readonly Process _daemon;

    public GitServer()
    {
        if (!Run("git", "version"))
        {
            _directory.Dispose();
            Skip.If(true, "there is no git");
        }
        var repository = _directory.At("repo.git");
        Git(_directory.Path, "init", "-q", "-b", "main", repository);
        _directory.Write("repo.git/sub/file", "one");
        Commit("one");
        Git(repository, "tag", "v1");
        _directory.Write("repo.git/sub/file", "two");
        Commit("two");
        (_daemon, Address) = Serve();

        void Commit(string message)
        {
            Git(repository, "add", ".");
            Git(repository, "-c", "user.name=test", "-c", "user.email=test@example.test", "commit", "-q", "-m", message);
        }
    }

    public string Address { get; }

    public void Dispose()
    {
        End(_daemon);
        _directory.Dispose();
    }

    /// <summary>The daemon takes no port of its own choice, and somebody else may take the one that was free.</summary>
    private (Process Daemon, string Address) Serve()
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Poll.Patience;)
        {
            var port = FreePort();
            var address = $"git://127.0.0.1:{port}/repo.git";
            var daemon = Process.Start("git", ["daemon", "--export-all", $"--base-path={_directory.Path}", "--listen=127.0.0.1", $"--port={port}", "--reuseaddr"]);
            for (; !daemon.HasExited && waited.Elapsed < Poll.Patience; Thread.Sleep(50))
                if (Run("git", "ls-remote", address))
                    return (daemon, address);
            End(daemon);
        }
        _directory.Dispose();
        throw new TimeoutException("git daemon does not answer.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void End(Process daemon)
    {
        daemon.Kill(entireProcessTree: true);
        daemon.WaitForExit();
        daemon.Dispose();
    }

    private static void Git(string directory, params string[] arguments) => Assert.True(Run("git", ["-C", directory, .. arguments]));

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
