using System.Text.Json;

namespace BuildKit.Oci.Checking;

/// <summary>Checks everything that is reached from the index of a layout. Nothing is changed.</summary>
public static class OciLayoutCheck
{
    /// <summary>Checks a layout.</summary>
    /// <param name="path">The layout: a directory, an archive or an index file.</param>
    /// <param name="fast">Whether the bytes of blobs are left unread: their sizes only are compared, and what manifests say is read without checking their digests.</param>
    /// <param name="progress">Told about the hashing, a few times a second, from any thread; null for nobody.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What was found. A layout that can't be read at all is a finding, too.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.OciLayoutNotFound</c>, <c>BuildKit.OciLayoutDenied</c>: nothing could be checked.</exception>
    public static async Task<OciLayoutReport> RunAsync(string path, bool fast, IProgress<OciCheckProgress>? progress, CancellationToken cancellationToken)
    {
        var findings = new OciFindings(Path.GetFullPath(path));
        OciLayoutSource source;
        try
        {
            source = await OciContentSources.OpenAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e) when (e.ErrorId is "BuildKit.OciArchiveInvalid" or "BuildKit.OciLayoutInvalid")
        {
            findings.Add(e.ErrorId == "BuildKit.OciArchiveInvalid" ? OciFindingTable.ArchiveInvalid : OciFindingTable.NotALayout, "", null, e.Message);
            return findings.ToReport(0, 0);
        }
        await using (source.ConfigureAwait(false))
            return await CheckAsync(source, findings, fast, progress, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<OciLayoutReport> CheckAsync(
        OciLayoutSource source, OciFindings findings, bool fast, IProgress<OciCheckProgress>? progress, CancellationToken cancellationToken)
    {
        CheckVersion(source, findings);
        OciIndex index;
        try
        {
            index = await source.ReadIndexAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e) when (e.ErrorId == "BuildKit.OciLayoutInvalid")
        {
            findings.Add(OciFindingTable.IndexInvalid, "index.json", null, e.Message);
            return findings.ToReport(0, 0);
        }
        OciIndexChecks.Check(index, findings);
        // An index alone says nothing about blobs.
        if (source is OciDirectorySource { Layout.IsIndexAlone: true })
            return findings.ToReport(0, 0);
        var walk = new OciLayoutWalk(source, findings, fast);
        walk.Run(index, cancellationToken);
        if (!fast)
            await OciBlobHashing.RunAsync(source, walk.Leaves, findings, progress, cancellationToken).ConfigureAwait(false);
        foreach (var (name, why) in source.ListUnsafe())
            findings.Add(OciFindingTable.UnsafePath, name, null, $"'{name}' is no file or directory of the layout: {why}.");
        if (walk.IsComplete)
            foreach (var (digest, size) in source.ListBlobs())
                if (!walk.Found.ContainsKey(digest))
                    findings.Add(OciFindingTable.BlobUnreferenced, OciLayout.BlobName(digest), digest, $"Nothing refers to this blob of {size} bytes.");
        return findings.ToReport(walk.Found.Count, walk.Found.Values.Sum());
    }

    private static void CheckVersion(OciLayoutSource source, OciFindings findings)
    {
        if (source is OciDirectorySource { Layout.IsIndexAlone: true })
            return;
        if (source.ReadVersionFile() is not { } bytes)
        {
            findings.Add(OciFindingTable.VersionMissing, "oci-layout", null, "There is no file 'oci-layout'.");
            return;
        }
        if (bytes.Length > OciLayoutSource.MaxVersionBytes)
        {
            findings.Add(OciFindingTable.VersionInvalid, "oci-layout", null, $"The file 'oci-layout' has more than {OciLayoutSource.MaxVersionBytes} bytes.");
            return;
        }
        try
        {
            var version = OciJson.Members(bytes).Find(member => member.Name == "imageLayoutVersion") is { Name: not null } member ? member.Text() : null;
            if (version != "1.0.0")
                findings.Add(OciFindingTable.VersionInvalid, "oci-layout", null, version is null ? "The file 'oci-layout' tells no version." : $"The version of the layout is '{version}'.");
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            findings.Add(OciFindingTable.VersionInvalid, "oci-layout", null, $"The file 'oci-layout' can't be read: {e.Message}.");
        }
    }
}
