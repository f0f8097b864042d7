using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace BuildKit.Module.Loading;

/// <summary>
/// Holds BuildKit.Core and what it needs apart from the rest of the session, in which another module may have loaded another Google.Protobuf.
/// PowerShell's own assemblies and the runtime's come from the default context, so that types passed over this border are the same on both sides.
/// </summary>
internal sealed class CoreLoadContext : AssemblyLoadContext
{
    private const string Protobuf = "Google.Protobuf";
    private const string Pipelines = "System.IO.Pipelines";

    private readonly string[] _directories;

    public CoreLoadContext(string directory)
        : base("BuildKit")
    {
        // Images compiled ahead of time fit one major version of .NET and one system (src/Module/ModuleLayout.targets); IL fits all.
        var images = Path.Combine(directory, $"net{Environment.Version.Major}.0-{RuntimeInformation.RuntimeIdentifier}");
        _directories = Directory.Exists(images) ? [images, directory] : [directory];
    }

    public const string Core = "BuildKit.Core";

    protected override Assembly? Load(AssemblyName assemblyName) => assemblyName.Name switch
    {
        Core or Protobuf => LoadOwn(assemblyName),
        // The runtime's own where it has one (.NET 10), ours where it has none (.NET 8).
        Pipelines => TryLoadShared(assemblyName) ?? LoadOwn(assemblyName),
        _ => null,
    };

    private static Assembly? TryLoadShared(AssemblyName assemblyName)
    {
        try
        {
            return Default.LoadFromAssemblyName(assemblyName);
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException)
        {
            return null;
        }
    }

    private Assembly? LoadOwn(AssemblyName assemblyName) =>
        _directories.Select(directory => Path.Combine(directory, assemblyName.Name + ".dll")).FirstOrDefault(File.Exists) is { } path
            ? LoadFromAssemblyPath(path)
            : null;
}
