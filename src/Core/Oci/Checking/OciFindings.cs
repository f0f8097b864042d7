namespace BuildKit.Oci.Checking;

/// <summary>Collects findings, from any thread.</summary>
internal sealed class OciFindings(string layout)
{
    private readonly List<OciFinding> _findings = [];

    public void Add(OciFindingKind kind, string path, OciDigest? digest, string message)
    {
        var finding = new OciFinding
        {
            Severity = kind.Severity,
            Id = kind.Id,
            Path = path,
            Digest = digest?.ToString(),
            Message = message,
            Recommendation = kind.Recommendation,
            Layout = layout,
        };
        lock (_findings)
            _findings.Add(finding);
    }

    public OciLayoutReport ToReport(int blobs, long bytes)
    {
        lock (_findings)
            return new OciLayoutReport { Layout = layout, Findings = _findings.ToList(), BlobCount = blobs, Bytes = bytes };
    }
}
