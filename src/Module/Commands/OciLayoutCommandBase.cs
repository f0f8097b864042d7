using System.Management.Automation;
using BuildKit.Module.Binding;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that takes layouts: directories, archives and index files. One that fails does not keep the others from being done.</summary>
public abstract class OciLayoutCommandBase : BuildKitCommandBase
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";

    // Not bound by property name: the Path of a finding is a place in the index.
    /// <summary>The layouts; wildcards are expanded.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [SupportsWildcards]
    [LayoutPath]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The layouts, as they are written.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var given in ParameterSetName == LiteralPathSet ? LiteralPath : Path)
        {
            try
            {
                foreach (var path in ParameterSetName == LiteralPathSet ? [FileSystemPath.Resolve(SessionState, given)] : FileSystemPath.Expand(SessionState, given))
                    Guard(path);
            }
            catch (BuildKitException e)
            {
                WriteError(e, given);
            }
        }
    }

    /// <summary>Does the work for one layout, and writes what comes of it.</summary>
    /// <param name="path">Its absolute path.</param>
    private protected abstract void Process(string path);

    private void Guard(string path)
    {
        try
        {
            Process(path);
        }
        catch (Exception e) when (IsReportable(e))
        {
            WriteError(e, path);
        }
    }
}
