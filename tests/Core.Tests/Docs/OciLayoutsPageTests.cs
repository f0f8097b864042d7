using System.Text.RegularExpressions;
using BuildKit.Oci.Checking;
using Xunit;

namespace BuildKit.Tests.Docs;

/// <summary>docs/oci-layouts.md lists every finding of Test-OciLayout with its severity.</summary>
public sealed partial class OciLayoutsPageTests
{
    [Fact]
    public void EveryFindingHasItsLine()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "BuildKit.slnx")))
            directory = Path.GetDirectoryName(directory)!;
        var lines = File.ReadAllLines(Path.Combine(directory, "docs", "oci-layouts.md")).Select(line => Line().Match(line)).Where(match => match.Success)
            .Select(match => (match.Groups["id"].Value, match.Groups["severity"].Value));
        Assert.Equal(OciFindingTable.All.Select(kind => (kind.Id, kind.Severity.ToString())).Order(), lines.Order());
    }

    [GeneratedRegex(@"^\| `(?<id>\w+)` \| (?<severity>Error|Warning|Information) \|")]
    private static partial Regex Line();
}
