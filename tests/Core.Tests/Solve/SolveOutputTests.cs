using BuildKit.Solve;
using Xunit;

namespace BuildKit.Tests.Solve;

/// <summary>What docker/buildx util/buildflags/export.go and tonistiigi/go-csvvalue make of the same texts; where docker's answer is a trap, the difference is named.</summary>
public sealed class SolveOutputTests
{
    [Theory]
    [InlineData("out", "local", "/here/out")]
    [InlineData("./a=b", "local", "/here/./a=b")]
    [InlineData("-", "tar", "-")]
    [InlineData("type=local,dest=out", "local", "/here/out")]
    [InlineData("TYPE=Local,Dest=out", "local", "/here/out")]
    [InlineData(" type=local, dest=out", "local", "/here/out")]
    [InlineData("type=local ,dest=out dir ", "local", "/here/out dir ")]
    [InlineData("type=tar,dest=-", "tar", "-")]
    [InlineData("type=tar,dest=x=y.tar", "tar", "/here/x=y.tar")]
    [InlineData("type=local,dest=out\n", "local", "/here/out")]
    [InlineData("type=local,\"dest=a,b\"", "local", "/here/a,b")]
    [InlineData("type=local,\"dest=a\"\"b\"", "local", "/here/a\"b")]
    [InlineData("type=cacheonly", "cacheonly", null)]
    [InlineData("type=image,dest=", "image", null)]
    public void ATypeAndADestinationAreRead(string text, string type, string? destination)
    {
        var output = SolveOutput.Parse(text, path => "/here/" + path);
        Assert.Equal((type, destination), (output.Type, output.Destination));
        Assert.Empty(output.Attributes);
    }

    [Theory]
    [InlineData("type=oci,\"name=a/b:1,a/b:2\",dest=x.tar", "name=a/b:1,a/b:2")]
    [InlineData("\"type=image\",\"name=a:1\"", "name=a:1")]
    [InlineData("type=image,Push=true,name=a", "name=a;push=true")]
    [InlineData("type=image,push=false,push=true", "push=true")]
    [InlineData("type=image,push=false,PUSH=true", "push=true")]
    [InlineData("type=image,annotation.a.b=c=d", "annotation.a.b=c=d")]
    [InlineData("type=image,annotation-index[linux/amd64].Key= v ", "annotation-index[linux/amd64].key= v ")]
    [InlineData("type=image,compression=", "compression=")]
    public void AttributesKeepTheirValuesAndLoseTheCaseOfTheirNames(string text, string attributes) =>
        Assert.Equal(attributes, string.Join(';', SolveOutput.Parse(text).Attributes.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}={pair.Value}")));

    [Theory]
    [InlineData("")]
    [InlineData("dest=out")]
    [InlineData("type=")]
    [InlineData("type=,dest=x")]
    [InlineData("type=local,out")]
    [InlineData("type=local,")]
    [InlineData("type=local,=x")]
    [InlineData("a,b")]
    [InlineData("name=a:1,push=true")]
    public void WhatIsNoOutputIsRefused(string text)
    {
        var failure = Assert.Throws<BuildKitException>(() => SolveOutput.Parse(text));
        Assert.Equal(("BuildKit.InvalidOutput", BuildKitErrorCategory.InvalidArgument), (failure.ErrorId, failure.Category));
        Assert.NotEmpty(failure.RecommendedAction!);
    }

    [Theory]
    [InlineData("type=image,name=\"a,b\"", 17)]
    [InlineData("type=image,\"name=a", 12)]
    [InlineData("type=image,\"name=a\"b", 19)]
    [InlineData("type=image,na\"me=a", 14)]
    public void AWrongQuoteIsRefusedByItsPlace(string text, int character)
    {
        var failure = Assert.Throws<BuildKitException>(() => SolveOutput.Parse(text));
        Assert.Equal("BuildKit.InvalidOutput", failure.ErrorId);
        Assert.Contains($"character {character} ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APathIsMadeAbsolute() => Assert.Equal(Path.GetFullPath("out"), SolveOutput.Parse("out").Destination);

    [Theory]
    [InlineData("type=local,dest=/out")]
    [InlineData("type=oci,dest=/x.tar,compression=zstd,\"name=a:1,b:1\"")]
    [InlineData("type=local,\"dest=/a\"\"b,c\"")]
    [InlineData("type=tar,dest=-")]
    public void ItsTextCanBeReadAgain(string text)
    {
        Assert.Equal(text, SolveOutput.Parse(text).ToString());
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a,b,,", "a|b||")]
    [InlineData("\"a,b\",\"\"", "a,b|")]
    [InlineData("\"a\"\"\"\"b\"\r\n", "a\"\"b")]
    [InlineData("", "")]
    public void FieldsAreSplit(string line, string fields) => Assert.Equal(fields, string.Join('|', CsvFields.Split(line)));
}
