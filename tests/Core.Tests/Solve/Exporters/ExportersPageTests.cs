using Xunit;

namespace BuildKit.Tests.Solve.Exporters;

public sealed class ExportersPageTests
{
    /// <summary>Set to 1, the page is written in place of being compared.</summary>
    public const string WriteVariable = "BUILDKIT_WRITE_DOCS";

    [Fact]
    public async Task ThePageSaysWhatTheTableSays()
    {
        var (path, page) = (FindPage(), ExportersPage.Write());
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
            await File.WriteAllTextAsync(path, page);
        Assert.Equal(page, (await File.ReadAllTextAsync(path)).ReplaceLineEndings("\n"));
    }

    private static string FindPage()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BuildKit.slnx")))
                return Path.Combine(folder.FullName, "docs", "exporters.md");
        }
        throw new DirectoryNotFoundException("The repository is in no folder above " + AppContext.BaseDirectory);
    }
}
