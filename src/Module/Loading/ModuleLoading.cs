using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;
using BuildKit.Module.Commands;

namespace BuildKit.Module.Loading;

/// <summary>
/// Answers the session's question for BuildKit.Core, which lies in a folder that PowerShell does not search. Google.Protobuf is not answered for:
/// only the library needs it, and another module that lacks its own must not be given ours.
/// </summary>
public sealed class ModuleLoading : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    // One for the process: a second import, or an import in another runspace, must see the same types. It is never taken back,
    // since objects of the library outlive the module.
    private static readonly Lazy<CoreLoadContext> Context = new(static () =>
    {
        var context = new CoreLoadContext(Path.Combine(Path.GetDirectoryName(typeof(ModuleLoading).Assembly.Location)!, "core"));
        AssemblyLoadContext.Default.Resolving += static (_, name) => name.Name == CoreLoadContext.Core ? Context!.Value.LoadFromAssemblyName(name) : null;
        return context;
    });

    private static int _users;

    /// <summary>Called by PowerShell when the module is imported into a runspace, before any of its cmdlets is looked at.</summary>
    public void OnImport()
    {
        _ = Context.Value;
        Hold();
    }

    /// <summary>Called by PowerShell when the module is removed from a runspace.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo) => Release();

    /// <summary>Keeps the connections open, as a job does whose module may be removed before it ends.</summary>
    internal static void Hold() => Interlocked.Increment(ref _users);

    /// <summary>Ends what <see cref="Hold"/> began.</summary>
    internal static void Release()
    {
        // Other runspaces may be building on these connections.
        if (Interlocked.Decrement(ref _users) == 0)
            _ = ConnectionPool.CloseAllAsync();
    }
}
