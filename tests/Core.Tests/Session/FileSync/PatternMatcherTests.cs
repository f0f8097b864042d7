using System.Text;
using BuildKit.Session.FileSync.Patterns;
using Xunit;

namespace BuildKit.Tests.Session.FileSync;

/// <summary>The cases of moby/patternmatcher's own tests, and what a comparison with it on random patterns brought up.</summary>
public sealed class PatternMatcherTests
{
    [Theory]
    [InlineData("**", "file", true)]
    [InlineData("**/", "file", true)]
    [InlineData("**", "/", true)]
    [InlineData("**", "dir/file", true)]
    [InlineData("**/", "dir/file", true)]
    [InlineData("**/**", "dir/file", true)]
    [InlineData("dir/**", "dir/file", true)]
    [InlineData("dir/**", "dir/dir2/file", true)]
    [InlineData("dir/**", "dir", false)]
    [InlineData("**/dir", "dir", true)]
    [InlineData("**/dir", "dir/file", true)]
    [InlineData("**/dir2/*", "dir/dir2/file", true)]
    [InlineData("**/dir2/**", "dir/dir2/dir3/file", true)]
    [InlineData("**file", "file", true)]
    [InlineData("**file", "dir/dir/file", true)]
    [InlineData("**/file", "dir/dir/file", true)]
    [InlineData("**/file", "dir/otherfile", false)]
    [InlineData("**/file*", "dir/dir/file.txt", true)]
    [InlineData("**/file*txt", "dir/dir/file.txt", true)]
    [InlineData("**/file*.txt*", "dir/dir/file.txt", true)]
    [InlineData("**/**/*.txt", "dir/dir/file.txt", true)]
    [InlineData("**/**/*.txt2", "dir/dir/file.txt", false)]
    [InlineData("**/*.txt", "file.txt", true)]
    [InlineData("a**/*.txt", "a/file.txt", true)]
    [InlineData("a**/*.txt", "a/dir/dir/file.txt", true)]
    [InlineData("a/*.txt", "a/dir/file.txt", false)]
    [InlineData("a/*.txt", "a/file.txt", true)]
    [InlineData("a/*.txt**", "a/file.txt", true)]
    [InlineData("a[b-d]e", "ae", false)]
    [InlineData("a[b-d]e", "ace", true)]
    [InlineData("a[b-d]e", "aae", false)]
    [InlineData("a[^b-d]e", "aze", true)]
    [InlineData(".*", ".foo", true)]
    [InlineData(".*", "foo", false)]
    [InlineData("abc.def", "abcdef", false)]
    [InlineData("abc.def", "abcZdef", false)]
    [InlineData("abc?def", "abcZdef", true)]
    [InlineData("abc?def", "abcdef", false)]
    [InlineData("**/foo/bar", "dir/dir2/foo/bar", true)]
    [InlineData("abc/**", "abc/def/ghi", true)]
    [InlineData("**/.foo", "bar.foo", false)]
    [InlineData("a(b)c/def", "a(b)c/def", true)]
    [InlineData("a(b)c/def", "a(b)c/xyz", false)]
    [InlineData("a.|)$(}+{bc", "a.|)$(}+{bc", true)]
    [InlineData("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true)]
    [InlineData("a*/b", "a/c/b", false)]
    [InlineData("a*b*c*d*e*/f", "axbxcxdxexxx/f", true)]
    [InlineData("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false)]
    [InlineData("a*b?c*x", "abxbbxdbxebxczzx", true)]
    [InlineData("a*b?c*x", "abxbbxdbxebxczzy", false)]
    [InlineData("a*", "ab/c", true)]
    public void A_path_matches_a_pattern_or_not(string pattern, string path, bool expected) => Check([pattern], path, expected);

    [Theory]
    [InlineData("a?b", "a☺b", true)]
    [InlineData("a???b", "a☺b", false)]
    [InlineData("?", "😀", true)]
    [InlineData("[a-ζ]*", "α", true)]
    [InlineData("*[a-ζ]", "A", false)]
    [InlineData("*", "a\nb", true)]
    [InlineData("**x*", "a\nx", false)]
    public void A_wildcard_takes_a_rune(string pattern, string path, bool expected) => Check([pattern], path, expected);

    [Fact]
    public void A_wildcard_takes_each_byte_that_is_not_UTF8()
    {
        Assert.True(Matches([[(byte)'?', (byte)'?']], [0xff, 0xfe]));
        Assert.False(Matches([[(byte)'?']], [0xff, 0xfe]));
        Assert.True(Matches([[0xff, (byte)'*']], [0xfe, (byte)'a']));
        Assert.False(Matches([[0xff]], [0xfe]));
    }

    [SkippableTheory]
    [InlineData("a\\\\", "a\\", true)]
    [InlineData("a\\*b", "a*b", true)]
    [InlineData("a\\*b", "ab", false)]
    [InlineData("[\\]a]", "]", true)]
    [InlineData("[x\\-]", "-", true)]
    [InlineData("[\\-x]", "a", false)]
    public void A_backslash_escapes_except_on_Windows(string pattern, string path, bool expected)
    {
        Skip.If(OperatingSystem.IsWindows());
        Check([pattern], path, expected);
    }

    [SkippableTheory]
    [InlineData("*\\d", "a1", true)]
    [InlineData("*\\d", "ad", false)]
    [InlineData("x\\x41", "xA", true)]
    [InlineData("a|b*", "ax/y", true)]
    [InlineData("a|b*", "cb", true)]
    [InlineData("a{2}*", "aab", true)]
    [InlineData("a{2}*", "a{2}b", false)]
    [InlineData("a{1,3}?", "aaab", true)]
    [InlineData("a{,3}?", "a{,3}b", true)]
    [InlineData("?{0}a", "a", true)]
    [InlineData("[[:alpha:]]x", "qx", true)]
    [InlineData("[[:alpha:]]x", "1x", false)]
    [InlineData("[[:^digit:]]x", "qx", true)]
    [InlineData("[*]", "a", false)]
    [InlineData("[*]", "[[]", true)]
    [InlineData("[**]", "(", true)]
    [InlineData("\\pL*", "ζ1", true)]
    [InlineData("\\P{Lu}*", "A", false)]
    [InlineData("*\\Qa+b\\E", "xa\\+b", true)]
    [InlineData("*^a", "a", true)]
    [InlineData("*^a", "ba", false)]
    public void What_upstream_hands_on_to_the_regular_expression_keeps_its_meaning_there(string pattern, string path, bool expected)
    {
        Skip.If(OperatingSystem.IsWindows());
        Check([pattern], path, expected);
    }

    [Theory]
    [InlineData("docs/README.md", false, "docs", "!docs/README.md")]
    [InlineData("docs/README.md", false, "docs/", "!docs/README.md")]
    [InlineData("docs/README.md", false, "docs/*", "!docs/README.md")]
    [InlineData("fileutils.go", true, "!fileutils.go", "*.go")]
    [InlineData("fileutils.go", false, "*.go", "!fileutils.go")]
    [InlineData("util/docker/web/foo", false, "**", "!util/docker/web")]
    [InlineData("util/docker/web/foo", true, "**", "!util/docker/web", "util/docker/web/foo")]
    [InlineData("dist/a+b.whl", false, "**", "!dist/*.whl")]
    [InlineData("docs/README.md", false, "docs", "  !docs/README.md  ")]
    [InlineData("any/path", false)]
    [InlineData("x", false, "", "   ")]
    [InlineData("a/b", true, " ./a//x/../b/ ")]
    [InlineData("a", false, "/a")]
    [InlineData("a", true, "a", "!./a")]
    public void The_last_pattern_with_a_say_decides(string path, bool expected, params string[] patterns) => Check(patterns, path, expected);

    [Fact]
    public void What_was_found_for_the_parent_is_not_looked_for_again()
    {
        // Asked about the whole path alone, "!x" would match its parent; on the way down it was not tried, as there was nothing to take back.
        var matcher = new PatternMatcher([.. new[] { "x/y", "!x" }.Select(Encoding.UTF8.GetBytes)]);
        var parent = new bool[2];
        Assert.False(matcher.Matches("x"u8, [], parent));
        Assert.True(matcher.Matches("x/y"u8, parent, new bool[2]));
        Assert.False(matcher.Matches("x/y"u8, [], new bool[2]));
    }

    [Theory]
    [InlineData("!")]
    [InlineData("!/")]
    [InlineData("[")]
    [InlineData("[^")]
    [InlineData("[^bc")]
    [InlineData("a[")]
    [InlineData("[]a]")]
    [InlineData("[-]")]
    [InlineData("[x-]")]
    [InlineData("[-x]")]
    [InlineData("[a-b-c]")]
    public void A_malformed_pattern_is_refused(string pattern) =>
        Assert.Throws<BadPatternException>(() => new PatternMatcher([Encoding.UTF8.GetBytes(pattern)]));

    [Theory]
    [InlineData("[Local-Only]/")]
    [InlineData("x*[a")]
    [InlineData("[[:foo:]]")]
    [InlineData("*{2}")]
    [InlineData("a|{2}*")]
    [InlineData("x{1001}*")]
    [InlineData("x{3,2}*")]
    public void A_pattern_that_is_no_regular_expression_is_refused_whenever_it_is_used(string pattern)
    {
        var matcher = new PatternMatcher([Encoding.UTF8.GetBytes(pattern)]);
        Assert.Throws<BadPatternException>(() => matcher.Matches("x"u8, [], new bool[1]));
        Assert.Throws<BadPatternException>(() => matcher.Matches("x"u8, [], new bool[1]));
    }

    [Fact]
    public void Empty_patterns_are_dropped_and_exceptions_noticed()
    {
        Assert.Equal(2, new PatternMatcher([.. new[] { "docs", "config", "" }.Select(Encoding.UTF8.GetBytes)]).Patterns.Count);
        Assert.False(new PatternMatcher(["docs"u8.ToArray()]).HasExclusions);
        Assert.True(new PatternMatcher(["docs"u8.ToArray(), " !docs/README.md"u8.ToArray()]).HasExclusions);
    }

    [Theory]
    [InlineData("*", "^[^/]*$")]
    [InlineData("a*/b", "^a[^/]*/b$")]
    [InlineData("**/**", "^(.*/)?.*$")]
    [InlineData("**/dir2/**", "^(.*/)?dir2/.*$")]
    [InlineData("**/**/*.txt", "^(.*/)?(.*/)?[^/]*\\.txt$")]
    [InlineData("a[b-d]e", "^a[b-d]e$")]
    [InlineData(".*", "^\\.[^/]*$")]
    [InlineData("abc?def", "^abc[^/]def$")]
    [InlineData("**", null)]
    [InlineData("dir/**", null)]
    [InlineData("**/foo/bar", null)]
    [InlineData("a.|)$(}+{bc", null)]
    public void A_pattern_becomes_the_expression_that_upstream_makes_of_it(string pattern, string? expected) =>
        Assert.Equal(expected, Pattern.ToExpression(Encoding.UTF8.GetBytes(pattern), out _, out _));

    [Fact]
    public void Time_is_linear_where_a_backtracking_engine_would_not_end()
    {
        var pattern = string.Concat(Enumerable.Repeat("*a", 100)) + "b";
        Check([pattern], new string('a', 5000), false);
    }

    /// <summary>Asks as a walk does, level by level, and without any of that; the results differ only in the case that has its own test.</summary>
    private static void Check(string[] patterns, string path, bool expected)
    {
        var matcher = new PatternMatcher(patterns.Select(Encoding.UTF8.GetBytes));
        var bytes = Encoding.UTF8.GetBytes(path);
        var parent = Array.Empty<bool>();
        var result = false;
        for (var end = 0; end <= bytes.Length; end++)
        {
            if (end < bytes.Length && bytes[end] != '/')
                continue;
            var matched = new bool[matcher.Patterns.Count];
            result = matcher.Matches(bytes.AsSpan(0, end), parent, matched);
            parent = matched;
        }

        Assert.Equal(expected, result);
        Assert.Equal(expected, matcher.Matches(bytes, [], new bool[matcher.Patterns.Count]));
    }

    private static bool Matches(byte[][] patterns, byte[] path) => new PatternMatcher(patterns).Matches(path, [], new bool[patterns.Length]);
}
