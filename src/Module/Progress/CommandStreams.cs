using System.Management.Automation;

namespace BuildKit.Module.Progress;

/// <summary>The streams of a cmdlet. To be used on the pipeline's thread.</summary>
internal sealed class CommandStreams(Cmdlet command) : ISolveStreams
{
    public void WriteLine(string line) => command.WriteInformation(new HostInformationMessage { Message = line }, ["PSHOST"]);

    public void WriteWarning(string text) => command.WriteWarning(text);

    public void WriteProgress(ProgressRecord record) => command.WriteProgress(record);
}
