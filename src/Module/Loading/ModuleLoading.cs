using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace BuildKit.Module.Loading;

/// <summary>
/// Answers the session's question for BuildKit.Core, which lies in a folder that PowerShell does not search. Google.Protobuf is not answered for:
/// only the library needs it, and another module that lacks its own must not be given ours.
/// </summary>
public sealed class ModuleLoading : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    // One for the process: a second import, or an import in another runspace, must see the same types.
    private static readonly Lazy<CoreLoadContext> Context = new(static () => new CoreLoadContext(
        Path.Combine(Path.GetDirectoryName(typeof(ModuleLoading).Assembly.Location)!, "core")));

    private static readonly Lock Gate = new();
    private static int s_imports;

    /// <summary>Called by PowerShell when the module is imported, before any of its cmdlets is looked at.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (s_imports++ == 0)
                AssemblyLoadContext.Default.Resolving += Resolve;
        }
    }

    /// <summary>Called by PowerShell when the module is removed from a runspace.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        lock (Gate)
        {
            if (--s_imports == 0)
                AssemblyLoadContext.Default.Resolving -= Resolve;
        }
    }

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        name.Name == CoreLoadContext.Core ? Context.Value.LoadFromAssemblyName(name) : null;
}
