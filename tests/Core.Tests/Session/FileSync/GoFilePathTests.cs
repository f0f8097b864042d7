using System.Text;
using BuildKit.Session.FileSync.Patterns;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

public sealed class GoFilePathTests
{
    [Theory]
    [InlineData("", ".", ".", ".")]
    [InlineData("/", "/", "/", "/")]
    [InlineData("a//b/./c/..", "a/b", "a/b/c", "..")]
    [InlineData("../a/../../b", "../../b", "../..", "b")]
    [InlineData("/../a", "/a", "/", "a")]
    [InlineData("a/..", ".", "a", "..")]
    [InlineData("a/b///", "a/b", "a/b", "b")]
    [InlineData("///", "/", "/", "/")]
    public void Paths_are_cleaned_and_taken_apart_as_in_Go(string path, string clean, string directory, string name)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        Assert.Equal(clean, Encoding.UTF8.GetString(GoFilePath.Clean(bytes)));
        Assert.Equal(directory, Encoding.UTF8.GetString(GoFilePath.Dir(bytes)));
        Assert.Equal(name, Encoding.UTF8.GetString(GoFilePath.Base(bytes)));
    }

    [Theory]
    [InlineData("", "", "")]
    [InlineData("", "a/", "a")]
    [InlineData("a", "", "a")]
    [InlineData(".", "/a", "a")]
    [InlineData("a", "../../b", "../b")]
    public void Paths_are_joined_as_in_Go(string first, string second, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(GoFilePath.Join(Encoding.UTF8.GetBytes(first), Encoding.UTF8.GetBytes(second))));

    [Theory]
    [InlineData("abc", "abc", true)]
    [InlineData("a*", "abc", true)]
    [InlineData("a*", "ab/c", false)]
    [InlineData("a*b*c*d*e*/f", "axbxcxdxexxx/f", true)]
    [InlineData("a*b?c*x", "abxbbxdbxebxczzy", false)]
    [InlineData("ab[^b-d]", "abe", true)]
    [InlineData("a?b", "a☺b", true)]
    [InlineData("[a-ζ]*", "α", true)]
    [InlineData("*x", "xxx", true)]
    public void Match_is_that_of_Go(string pattern, string name, bool expected)
    {
        Assert.True(GoFilePath.TryMatch(Encoding.UTF8.GetBytes(pattern), Encoding.UTF8.GetBytes(name), out var matched));
        Assert.Equal(expected, matched);
    }

    [Fact]
    public void A_bad_pattern_is_noticed_as_far_as_it_is_read()
    {
        Assert.False(GoFilePath.TryMatch("["u8, "a"u8, out _));
        Assert.False(GoFilePath.TryMatch("a["u8, "ab"u8, out _));
        Assert.True(GoFilePath.TryMatch("x*["u8, "a"u8, out var matched));
        Assert.False(matched);
    }
}
