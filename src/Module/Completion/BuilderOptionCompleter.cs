using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using BuildKit.Builders;

namespace BuildKit.Module.Completion;

/// <summary>Completes what the cmdlets for builders take: names of builders and nodes, docker contexts, drivers and their options.</summary>
public sealed class BuilderOptionCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Matching(Values(commandName ?? "", parameterName ?? "", name => fakeBoundParameters?[name]?.ToString()), wordToComplete);

    private static IEnumerable<string> Values(string command, string parameter, Func<string, string?> bound) => parameter switch
    {
        "Driver" => BuilderManager.Drivers,
        "DriverOption" => (bound("Driver") is { } driver ? [driver] : BuilderManager.Drivers).SelectMany(BuilderManager.GetDriverOptionNames).Distinct().Select(name => $"{name}="),
        "Endpoint" => BuilderCompleter.Builders().Where(builder => builder.IsDockerContext).Select(builder => builder.Name),
        "NodeName" => BuilderCompleter.Builders().Where(builder => builder.Name == bound("Name")).SelectMany(builder => builder.Nodes).Select(node => node.Name),
        _ when command.StartsWith("Get-", StringComparison.OrdinalIgnoreCase) || command.StartsWith("Use-", StringComparison.OrdinalIgnoreCase) =>
            BuilderCompleter.Builders().Select(builder => builder.Name),
        _ => BuilderCompleter.Builders().Where(builder => !builder.IsDockerContext).Select(builder => builder.Name),
    };
}
