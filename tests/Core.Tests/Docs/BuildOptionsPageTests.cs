using System.Text.RegularExpressions;
using BuildKit.Tests.Engines;
using Xunit;

namespace BuildKit.Tests.Docs;

/// <summary>docs/build-options.md has a line for every option of <c>docker buildx build</c>, and what its lines name is there.</summary>
public sealed partial class BuildOptionsPageTests
{
    private static readonly string Root = FindRoot();

    // | `--add-host` | `-AddHost` | `TestName`, `Another test` in Options.Tests.ps1 |
    private static readonly List<(string Option, string Here, string Tests)> Lines = File.ReadAllLines(Path.Combine(Root, "docs", "build-options.md"))
        .Where(line => line.StartsWith("| `--", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries))
        .Select(cells => (Code().Match(cells[1]).Groups[1].Value, cells[2], cells[3])).ToList();

    [SkippableFact]
    public async Task EveryOptionOfBuildxHasItsLine()
    {
        var help = (await CommandResult.RunAsync(await TestEngines.GetProgramAsync("buildx"), ["build", "--help"])).OutputOrThrow();
        var options = Option().Matches(help).Select(match => match.Groups[1].Value).Except(["--help"]).ToList();
        Assert.True(options.Count > 30, help);
        Assert.Equal(options.Order(), Lines.Select(line => line.Option).Order());
    }

    [Fact]
    public void EveryParameterThatALineNamesExists()
    {
        var sources = string.Concat(Directory.EnumerateFiles(Path.Combine(Root, "src", "Module", "Commands"), "*.cs").Select(File.ReadAllText));
        Assert.All(Lines, line =>
        {
            var names = Code().Matches(line.Here).Select(match => match.Groups[1].Value).ToList();
            Assert.NotEmpty(names);
            foreach (var name in names.Where(name => name.StartsWith('-')).Select(name => name[1..].Split(' ')[0]))
                Assert.True(name is "Verbose" or "Debug" || Regex.IsMatch(sources, $@"public \S+ {name} \{{|override object\? {name} \{{"), $"-{name} of {line.Option}");
        });
    }

    [Fact]
    public void EveryTestThatALineNamesExists()
    {
        var tests = string.Concat(Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.*", SearchOption.AllDirectories)
            .Where(path => path.EndsWith("Tests.cs", StringComparison.Ordinal) || path.EndsWith(".Tests.ps1", StringComparison.Ordinal)).Select(File.ReadAllText));
        Assert.All(Lines, line =>
        {
            var names = Code().Matches(line.Tests).Select(match => match.Groups[1].Value).ToList();
            Assert.NotEmpty(names);
            Assert.All(names, name => Assert.True(
                tests.Contains($"Task {name}(", StringComparison.Ordinal) || tests.Contains($"void {name}(", StringComparison.Ordinal) || tests.Contains($"It '{name}'", StringComparison.Ordinal),
                $"'{name}' of {line.Option}"));
        });
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "BuildKit.psd1")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("No folder above the tests holds BuildKit.psd1.");
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^ +(?:-\w, )?(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex Option();
}
