using BuildKit.Oci.Editing;

namespace BuildKit.Oci.Checking;

/// <summary>What the index of a layout shows by itself.</summary>
internal static class OciIndexChecks
{
    public static void Check(OciIndex index, OciFindings findings)
    {
        if (index.Manifests.Count == 0)
            findings.Add(OciFindingTable.IndexEmpty, "index.json", null, "The index lists nothing.");
        var groups = OciImageGroup.Create(index.Manifests);
        if (groups.Count > 1)
            findings.Add(OciFindingTable.SeveralImages, "index.json", null, $"The index lists {groups.Count} different images.");
        CheckEntries(index, findings);
        foreach (var group in groups.Where(group => group.Count > 1))
            findings.Add(
                OciFindingTable.SeveralEntries, Place(group.Place), group.First.Digest,
                $"{group.Count} entries are for this image: {string.Join(", ", group.Names.Take(10).Select(OciNames.Show))}{(group.Names.Count > 10 ? ", …" : "")}.");
    }

    private static void CheckEntries(OciIndex index, OciFindings findings)
    {
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        var tags = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < index.Manifests.Count; i++)
        {
            var entry = index.Manifests[i];
            if (entry.Name is null)
                findings.Add(OciFindingTable.EntryNameless, Place(i), entry.Digest, "This entry has no name.");
            // A whole name must be one image's; a tag may be that of several repositories, but not every tool looks at these.
            else if (Clashes(names, entry.ImageName ?? entry.RefName!, i) is { } other)
                findings.Add(OciFindingTable.NameTwice, Place(i), entry.Digest, $"The name '{entry.Name}' is that of another image, too: {Place(other)}.");
            else if (entry.RefName is { } tag && Clashes(tags, tag, i) is { } same)
                findings.Add(OciFindingTable.TagTwice, Place(i), entry.Digest, $"The short name '{tag}' is that of another image, too: {Place(same)}.");
        }

        int? Clashes(Dictionary<string, int> known, string name, int place) =>
            known.TryAdd(name, place) || index.Manifests[known[name]].Digest == index.Manifests[place].Digest ? null : known[name];
    }

    private static string Place(int i) => $"index.json/manifests[{i}]";
}
