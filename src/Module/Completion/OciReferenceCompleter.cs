using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Oci;

namespace BuildKit.Module.Completion;

/// <summary>Completes the names of the images in the layout that is typed before.</summary>
public sealed class OciReferenceCompleter : IArgumentCompleter
{
    // An archive that has to be expanded first is not worth the wait.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        ArgumentNullException.ThrowIfNull(fakeBoundParameters);
        var layout = fakeBoundParameters["LiteralPath"] ?? fakeBoundParameters["Path"];
        return layout?.ToString() is { } typed && Completions.PathOf(typed) is { } path ? Completions.Matching(Names(path), wordToComplete) : [];
    }

    private static List<string> Names(string path)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var entries = Task.Run(() => OciIndexReader.ListAsync(path, recurse: false, patience.Token)).GetAwaiter().GetResult();
            return entries.SelectMany(entry => entry.OtherNames.Prepend(entry.ImageName ?? entry.RefName)).OfType<string>().Distinct().ToList();
        }
        catch (Exception e) when (e is BuildKitException or OperationCanceledException)
        {
            return [];
        }
    }
}
