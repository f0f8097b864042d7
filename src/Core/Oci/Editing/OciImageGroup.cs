namespace BuildKit.Oci.Editing;

/// <summary>The entries of an index for one image: equal in digest, size and media type.</summary>
internal sealed class OciImageGroup
{
    // A set costs more than it saves for the few names that images have as a rule.
    private const int FewNames = 8;

    private readonly List<OciDescriptor> _entries = new(1);
    private readonly List<OciImageName> _names = new(1);
    private HashSet<OciImageName>? _known;

    private OciImageGroup(int place) => Place = place;

    /// <summary>Where the first of them stands.</summary>
    public int Place { get; }

    public OciDescriptor First => _entries[0];

    public int Count => _entries.Count;

    /// <summary>All names, in their order: those of entries, then those that an earlier repair kept.</summary>
    public IReadOnlyList<OciImageName> Names => _names;

    public OciImageName? FirstName => _names.Count == 0 ? null : _names[0];

    /// <summary>Puts entries together that are for one image, in their order.</summary>
    public static List<OciImageGroup> Create(IReadOnlyList<OciDescriptor> manifests)
    {
        var groups = new Dictionary<(OciDigest, long, string), OciImageGroup>();
        var result = new List<OciImageGroup>();
        for (var i = 0; i < manifests.Count; i++)
        {
            var manifest = manifests[i];
            var key = (manifest.Digest, manifest.Size, manifest.MediaType);
            if (!groups.TryGetValue(key, out var group))
                result.Add(groups[key] = group = new OciImageGroup(i));
            group._entries.Add(manifest);
            if (manifest.RefName is not null || manifest.ImageName is not null)
                group.AddName(new OciImageName(manifest.ImageName, manifest.RefName ?? ""));
        }
        foreach (var group in result)
            foreach (var name in group._entries.SelectMany(OciIndexEntry.OtherNamesOf))
                group.AddName(OciNames.Read(name));
        return result;
    }

    /// <summary>The groups that somebody means by a digest, a whole name or else a short one, each with the name that was meant.</summary>
    public static List<(OciImageGroup Group, OciImageName? Name)> Find(IReadOnlyList<OciImageGroup> groups, string reference)
    {
        if (OciDigest.TryParse(reference, out var digest))
            return groups.Where(group => group.First.Digest == digest).Select(group => (group, group.FirstName)).ToList();
        var whole = OciNames.Whole(reference);
        var found = Search(name => name.ImageName is { } image && (image == reference || image == whole));
        return found.Count > 0 ? found : Search(name => name.RefName == reference);

        List<(OciImageGroup, OciImageName?)> Search(Predicate<OciImageName> isMeant) =>
            groups.Where(group => group._names.Exists(isMeant)).Select(group => (group, (OciImageName?)group._names.Find(isMeant))).ToList();
    }

    /// <summary>The one group that is meant, with the name that was meant.</summary>
    /// <exception cref="OciImagesDifferException">There are several.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.OciImageNotFound</c>.</exception>
    public static (OciImageGroup Group, OciImageName? Name) Choose(string location, IReadOnlyList<OciImageGroup> groups, string? reference, string recommendedAction)
    {
        var found = FindAll(location, groups, reference);
        return found.Count == 1
            ? found[0]
            : throw new OciImagesDifferException(
                location, $"The index of '{location}' lists {found.Count} different images{(reference is null ? "" : $" as '{reference}'")}, and which of them is meant can't be told:",
                found.Select(choice => choice.Group.ToEntry(location)).ToList(), recommendedAction);
    }

    /// <summary>The groups that are meant, or all where nothing is said.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.OciImageNotFound</c>.</exception>
    public static List<(OciImageGroup Group, OciImageName? Name)> FindAll(string location, IReadOnlyList<OciImageGroup> groups, string? reference)
    {
        var found = reference is null ? groups.Select(group => (group, group.FirstName)).ToList() : Find(groups, reference);
        return found.Count > 0 ? found : throw OciErrors.ImageNotFound(location, reference!, groups.Select(group => group.First));
    }

    /// <summary>The entry that has a name, or else the first.</summary>
    public OciDescriptor EntryOf(OciImageName? name) =>
        _entries.Find(entry => name is { } wanted && entry.ImageName == wanted.ImageName && (entry.RefName ?? "") == wanted.RefName) ?? First;

    /// <summary>As one of the choices in an error.</summary>
    public OciIndexEntry ToEntry(string layout) => OciIndexEntry.Create(First, $"index.json/manifests[{Place}]", layout) with
    {
        OtherNames = _names.Select(OciNames.Show).Where(name => name != First.Name).ToList(),
    };

    private void AddName(OciImageName name)
    {
        if (_names.Count == FewNames)
            _known = [.. _names];
        if (_known?.Add(name) ?? !_names.Contains(name))
            _names.Add(name);
    }
}
