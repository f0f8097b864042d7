using System.Runtime.InteropServices;
using Xunit;

namespace BuildKit.Tests;

/// <summary>Looks at files with the rights of a user that has none.</summary>
internal static partial class AsNobody
{
    private const int Nobody = 65534;

    /// <summary>Does something that reads and writes files on its own thread alone, without root's rights.</summary>
    public static void Run(Action action)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux, to become somebody else");
        Exception? failure = null;
        // The rights are the thread's, which ends with them.
        var thread = new Thread(() =>
        {
            _ = setfsuid(Nobody);
            failure = Record.Exception(action);
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    [LibraryImport("libc")]
    private static partial int setfsuid(int user);
}
