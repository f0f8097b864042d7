using BuildKit.Solve.Nodes;
using BuildKit.Solve.Planning;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

public sealed class NodePlatformsTests
{
    // The rows are the cases of docker/buildx build/resolver/driver_test.go: nodes separated by blanks, in buildx's order of names; what each gets, in the order of the parts.
    [Theory]
    [InlineData("linux/amd64", "linux/amd64", "0:linux/amd64")]
    [InlineData("linux/amd64 linux/beta", "linux/beta", "1:linux/beta")]
    [InlineData("linux/amd64", "linux/riscv64", "0:linux/riscv64 incomplete")]
    [InlineData("linux/amd64 linux/riscv64", "linux/amd64", "0:linux/amd64")]
    [InlineData("linux/amd64 linux/riscv64", "linux/riscv64", "1:linux/riscv64")]
    [InlineData("linux/amd64 linux/riscv64", "linux/unknown", "0:linux/unknown incomplete")]
    [InlineData("linux/amd64,linux/arm64 linux/riscv64", "linux/arm64", "0:linux/arm64")]
    [InlineData("linux/amd64 linux/arm64", "linux/arm64", "1:linux/arm64")]
    [InlineData("linux/amd64 linux/arm64", "linux/arm/v8", "1:linux/arm/v8")]
    [InlineData("linux/amd64 linux/arm64", "linux/arm/v7", "1:linux/arm/v7")]
    [InlineData("linux/amd64 linux/arm64 linux/arm/v8", "linux/arm/v8", "2:linux/arm/v8")]
    [InlineData("linux/amd64 linux/arm64 linux/arm/v8", "linux/arm/v7", "2:linux/arm/v7")]
    [InlineData("linux/amd64 linux/arm/v7", "linux/arm/v8", "0:linux/arm/v8 incomplete")]
    [InlineData("linux/amd64 linux/arm/v7", "linux/arm/v6", "1:linux/arm/v6")]
    [InlineData("linux/amd64 linux/riscv64 linux/riscv64", "linux/riscv64", "1:linux/riscv64")]
    [InlineData("linux/arm/v7 linux/arm/v8", "linux/arm/v7", "0:linux/arm/v7")]
    [InlineData("linux/beta linux/amd64", "", "0:")]
    [InlineData("linux/amd64 linux/arm/v8", "linux/arm/v7", "1:linux/arm/v7")]
    [InlineData("linux/amd64,linux/arm/v7 linux/arm/v8", "linux/arm/v7", "0:linux/arm/v7")]
    [InlineData("linux/amd64,linux/arm64 linux/riscv64", "linux/amd64,linux/arm64", "0:linux/amd64,linux/arm64")]
    [InlineData("linux/amd64,linux/arm64 linux/riscv64", "linux/amd64,linux/riscv64", "0:linux/amd64 1:linux/riscv64")]
    [InlineData("linux/amd64 linux/amd64,linux/riscv64", "linux/amd64,linux/riscv64", "0:linux/amd64 1:linux/riscv64")]
    // Further ones: the order of what is asked for, what a node runs without being it, a later node that is nearer.
    [InlineData("linux/amd64 linux/arm64", "linux/arm64,linux/amd64,linux/arm/v6", "1:linux/arm64,linux/arm/v6 0:linux/amd64")]
    [InlineData("linux/arm64 linux/amd64", "linux/386,linux/amd64/v2", "1:linux/386 0:linux/amd64/v2 incomplete")]
    [InlineData("linux/arm64 linux/amd64/v3", "linux/amd64/v2,linux/amd64", "1:linux/amd64/v2,linux/amd64")]
    [InlineData("linux/amd64 linux/386", "linux/386", "1:linux/386")]
    [InlineData("linux/arm64/v8.5 linux/arm64", "linux/arm64", "1:linux/arm64")]
    [InlineData("linux/arm64 linux/arm64/v9.1", "linux/arm64/v8.6", "1:linux/arm64/v8.6")]
    [InlineData("linux/amd64 windows(10.0.17763)/amd64", "windows/amd64", "1:windows/amd64")]
    public void EachPlatformGoesToTheNearestNode(string nodes, string asked, string expected) => Assert.Equal(expected, Text(NodePlatforms.Assign(Parse(asked), Nodes(nodes))));

    [Theory]
    [InlineData("linux/amd64 linux/arm64", "linux/arm64", "1:linux/arm64")]
    [InlineData("linux/amd64 linux/arm64", "linux/arm/v7", "0:linux/arm/v7 incomplete")]
    [InlineData("linux/amd64 linux/arm64", "linux/386,linux/arm64", "0:linux/386 1:linux/arm64 incomplete")]
    [InlineData(" linux/arm64", "linux/amd64", "0:linux/amd64 incomplete")]
    public void WhatIsOnlyNearIsNotTheSame(string nodes, string asked, string expected) =>
        Assert.Equal(expected, Text(NodePlatforms.AssignExactly(Parse(asked), Nodes(nodes))));

    private static List<PlatformSpecifier> Parse(string platforms) =>
        platforms.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text => PlatformSpecifier.Parse(text, "linux")).ToList();

    private static List<IReadOnlyList<PlatformSpecifier>> Nodes(string nodes) => nodes.Split(' ').Select(node => (IReadOnlyList<PlatformSpecifier>)Parse(node)).ToList();

    private static string Text(NodeAssignment assignment) =>
        string.Join(' ', assignment.Parts.Select(part => $"{part.Node}:{string.Join(',', part.Platforms)}")) + (assignment.IsComplete ? "" : " incomplete");
}
