using BuildKit.Session.FileSend;
using Xunit;

namespace BuildKit.Tests.Session.FileSend;

public sealed class ExportPathValidatorTests
{
    [Theory]
    [InlineData("CON")]
    [InlineData("nul.txt")]
    [InlineData("com1")]
    [InlineData("LPT9.log")]
    [InlineData("a:b")]
    [InlineData("a\\b")]
    [InlineData("trailing.")]
    [InlineData("trailing ")]
    [InlineData("question?")]
    [InlineData("tab\tname")]
    public void Names_that_windows_reads_as_something_else_are_known(string name) => Assert.False(ExportPathValidator.IsWindowsName(name));

    [Theory]
    [InlineData("console")]
    [InlineData(".hidden")]
    [InlineData("com10")]
    [InlineData("a.b.c")]
    public void Other_names_are_fine_on_windows(string name) => Assert.True(ExportPathValidator.IsWindowsName(name));
}
