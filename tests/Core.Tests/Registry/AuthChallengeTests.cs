using BuildKit.Registry.Auth;
using Xunit;

namespace BuildKit.Tests.Registry;

public sealed class AuthChallengeTests
{
    [Theory]
    [InlineData("""Bearer realm="https://auth.example.com/token",service="a b",scope="repository:app:pull,push" """, "Bearer|realm=https://auth.example.com/token|service=a b|scope=repository:app:pull,push")]
    [InlineData("""bearer REALM = x , service=y""", "bearer|REALM=x|service=y")]
    [InlineData("""Basic realm="say \"hi\", please" """, """Basic|realm=say "hi", please""")]
    [InlineData("""Negotiate, Basic realm="r", Bearer realm="t" """, "Negotiate;Basic|realm=r;Bearer|realm=t")]
    [InlineData("""Negotiate YWJj==, Bearer realm="t" """, "Negotiate;Bearer|realm=t")]
    [InlineData("""Digest a=1, a=2""", "Digest|a=1")]
    [InlineData("""Basic""", "Basic")]
    [InlineData(""", ,Basic  realm=""", "Basic")]
    [InlineData("""Bearer realm="cut""", "Bearer")]
    [InlineData("", "")]
    [InlineData("\"=,;", "")]
    public void A_header_is_read(string header, string expected) => Assert.Equal(expected, Text([header]));

    [Fact]
    public void Several_headers_are_read() => Assert.Equal("Basic|realm=a;Bearer|realm=b", Text(["Basic realm=a", "Bearer realm=b"]));

    private static string Text(IEnumerable<string> headers) =>
        string.Join(';', AuthChallenge.Parse(headers).Select(one => string.Join('|', one.Parameters.Select(pair => $"{pair.Key}={pair.Value}").Prepend(one.Scheme))));
}
