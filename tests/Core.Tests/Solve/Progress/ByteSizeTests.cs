using BuildKit.Solve.Progress;
using Xunit;

namespace BuildKit.Tests.Solve.Progress;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0B")]
    [InlineData(999, "999B")]
    [InlineData(1000, "1.00kB")]
    [InlineData(1234, "1.23kB")]
    [InlineData(30_010_000, "30.01MB")]
    [InlineData(5_000_000_000_000, "5.00TB")]
    [InlineData(long.MaxValue, "9.22EB")]
    public void FormatsAsDockerDoes(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
