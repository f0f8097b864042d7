namespace BuildKit.Solve.Progress;

/// <summary>A vertex, or a group that is shown as one, with all that is known of it so far.</summary>
internal sealed class TracedVertex(string id, string name, int order)
{
    private readonly Dictionary<DateTimeOffset, RunInterval> _intervals = [];
    private readonly Dictionary<string, SolveVertex> _members = [];
    private IReadOnlyList<RunInterval> _merged = [];

    public string Id { get; } = id;

    public string Name { get; private set; } = name;

    /// <summary>Its place among the vertexes in the order in which they appeared.</summary>
    public int Order { get; } = order;

    public bool Cached { get; private set; }

    public string Error { get; private set; } = "";

    /// <summary>Whether it is a group of which nothing worth showing has started.</summary>
    public bool Hidden { get; private set; }

    /// <summary>Its parts with progress of their own, in the order in which they started.</summary>
    public List<SolveVertexStatus> Statuses { get; } = [];

    public VertexLog Log { get; } = new();

    public bool Started => _merged.Count > 0;

    public bool Completed => Started && _merged[^1].Stop is not null;

    /// <summary>When it last began.</summary>
    public DateTimeOffset LastStarted => _merged[^1].Start;

    public DateTimeOffset LastCompleted => _merged[^1].Stop!.Value;

    /// <summary>The time it ran; parts of a vertex that ran at once count once.</summary>
    public TimeSpan RunTime => _merged.Aggregate(TimeSpan.Zero, (sum, interval) => sum + ((interval.Stop ?? interval.Start) - interval.Start));

    /// <summary>Takes in a newer state.</summary>
    /// <returns>Whether there is something new to show.</returns>
    public bool Update(SolveVertex vertex)
    {
        var changed = vertex.Started is not null && (Name != vertex.Name || Cached != vertex.Cached || Error != vertex.Error);
        if (!Started || vertex.Started is not null)
            (Name, Cached, Error) = (vertex.Name, vertex.Cached, vertex.Error);
        return AddInterval(vertex) || changed;
    }

    /// <summary>Takes in a newer state of a vertex that belongs to this group; <see cref="RefreshGroup"/> has to follow.</summary>
    public void AddMember(SolveVertex vertex)
    {
        if (_members.Count == 0)
            Hidden = true;
        _members[vertex.Digest] = vertex;
    }

    /// <summary>Makes the state of the group from those of its members.</summary>
    /// <returns>Whether there is something new to show.</returns>
    public bool RefreshGroup()
    {
        var (wasHidden, wasCached, oldError) = (Hidden, Cached, Error);
        var changed = false;
        foreach (var member in _members.Values)
            changed |= AddInterval(member);
        Cached = _members.Values.All(member => member.Cached);
        Error = _members.Values.Select(member => member.Error).FirstOrDefault(error => error.Length > 0) ?? "";
        Hidden = Hidden && Error.Length == 0 && !_members.Values.Any(member => member.Started is not null && !member.ProgressGroup!.Weak);
        return !Hidden && (changed || Cached != wasCached || Error != oldError || Hidden != wasHidden);
    }

    public void Update(SolveVertexStatus status)
    {
        var index = Statuses.FindIndex(known => known.Id == status.Id);
        if (index >= 0)
            Statuses[index] = status;
        else if (status.Started is not null)
            Statuses.Add(status);
    }

    private bool AddInterval(SolveVertex vertex)
    {
        if (vertex.Started is not { } start)
            return false;
        var interval = new RunInterval(start, vertex.Completed);
        if (_intervals.TryGetValue(start, out var known) && known == interval)
            return false;
        _intervals[start] = interval;
        _merged = RunInterval.Merge(_intervals.Values);
        return true;
    }
}
