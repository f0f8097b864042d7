namespace BuildKit.Solve;

/// <summary>Keeps what this side has to say about a build in its journal, and passes it on. For use by one thread at a time, while the status stream is not read.</summary>
internal sealed class RecordedEvents(SolveJournal journal, IProgress<SolveEvent>? events) : IProgress<SolveEvent>
{
    public void Report(SolveEvent value)
    {
        journal.Add(value);
        events?.Report(value);
    }
}
