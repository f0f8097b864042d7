using BuildKit.Builders;
using Xunit;

namespace BuildKit.Tests.Builders;

public sealed class BuildkitdFlagsTests
{
    private const string NetworkHost = "--allow-insecure-entitlement=network.host";

    [Theory]
    [InlineData("--debug  --root /r", "--debug|--root|/r")]
    [InlineData("""--a='b c' "d \"e\" \n" f\ g ''""", """--a=b c|d "e" \n|f g|""")]
    [InlineData("  ", "")]
    public void AreTakenApartAsByAShell(string text, string words) => Assert.Equal(words, string.Join('|', BuildkitdFlags.Split([text])));

    [Theory]
    [InlineData("", "", null, NetworkHost)]
    [InlineData("--debug", "", "debug = true\n# insecure-entitlements = [ \"network.host\" ]", $"--debug|{NetworkHost}")]
    [InlineData("", "", "insecure-entitlements = [ \"security.insecure\",\n \"network.host\" ]", "")]
    [InlineData("--allow-insecure-entitlement security.insecure", "", null, "--allow-insecure-entitlement|security.insecure")]
    [InlineData("--allow-insecure-entitlement=security.insecure", "host", null, $"--allow-insecure-entitlement=security.insecure|{NetworkHost}")]
    [InlineData("--allow-insecure-entitlement network.host", "host", null, "--allow-insecure-entitlement|network.host")]
    public void AllowTheContainersNetworkUnlessTheySayOtherwise(string flags, string network, string? config, string expected) =>
        Assert.Equal(expected, string.Join('|', BuildkitdFlags.WithDefaults(
            BuildkitdFlags.Split([flags]), new Dictionary<string, string> { ["network"] = network }, config)));
}
