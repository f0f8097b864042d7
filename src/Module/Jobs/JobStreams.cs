using System.Collections;
using System.Globalization;
using System.Management.Automation;
using BuildKit.Module.Progress;

namespace BuildKit.Module.Jobs;

/// <summary>
/// The streams of a job. Nobody may ever receive them, and the daemon is not to wait for somebody who does: of the lines only the newest are kept, and one says how many went.
/// </summary>
internal sealed class JobStreams(Job job) : ISolveStreams
{
    /// <summary>How many lines wait to be received at most.</summary>
    public const int MaxLines = 4096;

    /// <summary>How many characters they have together at most; a line of JSON may be long.</summary>
    private const long MaxCharacters = 8 * 1024 * 1024;

    private const string Source = "Invoke-BuildKitSolve";

    private InformationRecord? _notice;
    private long _dropped;
    private long _characters;

    public void WriteLine(string line)
    {
        var lines = job.Information;
        Write(() =>
        {
            // The collection's own lock: somebody may be receiving.
            lock (((ICollection)lines).SyncRoot)
            {
                _characters += line.Length;
                if (lines.Count >= MaxLines || _characters > MaxCharacters)
                    MakeRoom(lines, line.Length);
                lines.Add(Record(line));
            }
        });
    }

    public void WriteWarning(string text) => Write(() => job.Warning.Add(new WarningRecord(text)));

    public void WriteProgress(ProgressRecord record) => Write(() => job.Progress.Add(record));

    public void WriteVerbose(string text) => Write(() => job.Verbose.Add(new VerboseRecord(text)));

    public void WriteError(ErrorRecord error) => Write(() => job.Error.Add(error));

    public void WriteOutput(object value) => Write(() => job.Output.Add(PSObject.AsPSObject(value)));

    private static void Write(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
        {
            // The job was removed while it ran.
        }
    }

    private void MakeRoom(PSDataCollection<InformationRecord> lines, int length)
    {
        // What was received meanwhile takes no room any more.
        _characters = length + lines.Sum(line => (long)((HostInformationMessage)line.MessageData).Message.Length);
        if (lines.Count < MaxLines && _characters <= MaxCharacters)
            return;
        if (lines.Count > 0 && lines[0] == _notice)
            lines.RemoveAt(0);
        else
            _dropped = 0;
        for (var count = (lines.Count + 1) / 2; count > 0; count--, _dropped++)
        {
            _characters -= ((HostInformationMessage)lines[0].MessageData).Message.Length;
            lines.RemoveAt(0);
        }
        _notice = Record(string.Create(CultureInfo.InvariantCulture, $"[{_dropped} lines were dropped here: Receive-Job came too late for them]"));
        lines.Insert(0, _notice);
    }

    private static InformationRecord Record(string line)
    {
        var record = new InformationRecord(new HostInformationMessage { Message = line }, Source);
        record.Tags.Add("PSHOST");
        return record;
    }
}
