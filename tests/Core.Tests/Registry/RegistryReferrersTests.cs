using System.Globalization;
using BuildKit.Oci;
using Xunit;

namespace BuildKit.Tests.Registry;

/// <summary>Registries that list what refers to a manifest, those that do not, and those whose list has no end.</summary>
public sealed class RegistryReferrersTests
{
    private static readonly OciDigest Subject = OciDigest.Of("the subject"u8);

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(406)]
    [InlineData(501)]
    [InlineData(200)]
    public async Task Where_a_registry_does_not_list_them_the_tag_does(int status)
    {
        await using var registry = new HostileRegistry();
        var tagged = HostileRegistry.Answer.Index(Entry("1"));
        registry.AddManifest($"sha256-{Subject.Hex}", OciMediaType.Index, tagged.Body);
        registry.Refuse = request => !request.Path.Contains("/referrers/", StringComparison.Ordinal) ? null
            : status == 200 ? new HostileRegistry.Answer(200, "<html>"u8.ToArray()).With("Content-Type", "text/html") : HostileRegistry.Answer.Error(status, "UNSUPPORTED", "what");
        Assert.Equal([OciDigest.Of("1"u8)], await ListAsync(registry));
    }

    [Fact]
    public async Task A_refusal_is_no_empty_list()
    {
        await using var registry = new HostileRegistry();
        registry.Refuse = request => request.Path == "/v2/" ? null : HostileRegistry.Answer.Error(403, "DENIED", "no");
        Assert.Equal("BuildKit.RegistryDenied", (await Assert.ThrowsAsync<BuildKitException>(() => ListAsync(registry))).ErrorId);
    }

    [Theory]
    [InlineData("</v2/app/referrers/{0}?n=2>; rel=\"next\"")]
    [InlineData("<?n=2>;rel=next")]
    [InlineData("</v2/app/referrers/{0}?n=9,9>; title=\"a, <b>; rel=next\"; rel=\"prev\", </v2/app/referrers/{0}?n=2>; rel=\"last NEXT\"")]
    public async Task All_pages_are_read(string link)
    {
        await using var registry = new HostileRegistry();
        registry.Refuse = request => !request.Path.Contains("/referrers/", StringComparison.Ordinal) ? null
            : request.Target.EndsWith("?n=2", StringComparison.Ordinal) ? HostileRegistry.Answer.Index(Entry("2")).With("Link", "</v2/app>; rel=\"prev\"")
            : HostileRegistry.Answer.Index(Entry("1")).With("Link", string.Format(CultureInfo.InvariantCulture, link, Subject));
        Assert.Equal([OciDigest.Of("1"u8), OciDigest.Of("2"u8)], await ListAsync(registry));
    }

    [Theory]
    [InlineData("<>; rel=next", "once more")]
    [InlineData("<?n=1>; rel=next", "once more")]
    [InlineData("<http://:>; rel=next", "'http://:'")]
    [InlineData("<?n=*>; rel=next", "without end")]
    public async Task A_list_without_end_is_an_error(string link, string why)
    {
        await using var registry = new HostileRegistry();
        var page = 0;
        registry.Refuse = request => request.Path.Contains("/referrers/", StringComparison.Ordinal)
            ? HostileRegistry.Answer.Index("").With("Link", link.Replace("*", $"{page++}", StringComparison.Ordinal))
            : null;
        var error = await Assert.ThrowsAsync<BuildKitException>(() => ListAsync(registry).WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal("BuildKit.RegistryFailed", error.ErrorId);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    private static string Entry(string content) => OciDescriptor.Create(OciMediaType.Manifest, OciDigest.Of(System.Text.Encoding.UTF8.GetBytes(content)), content.Length).ToString()!;

    private static async Task<IEnumerable<OciDigest>> ListAsync(HostileRegistry registry)
    {
        using var access = RegistryAccess.As(registry.Authority, null);
        var client = await access.ClientAsync(registry.Authority + "/app:1");
        return (await client.GetReferrersAsync(Subject, default)).Select(referrer => referrer.Digest);
    }
}
