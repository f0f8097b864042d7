using BuildKit.Docker;
using BuildKit.Solve;
using BuildKit.Solve.Nodes;
using Xunit;

namespace BuildKit.Tests.Solve.Nodes;

public class IndexPushTests
{
    [Fact]
    public async Task A_node_that_does_not_say_what_it_pushed_is_named()
    {
        var said = new Dictionary<string, string> { [SolveResultReader.ImageDigestKey] = "sha256:" + new string('a', 64) };
        var failure = await Assert.ThrowsAsync<BuildKitException>(() => IndexPush.RunAsync(
            new JoinedImage(["127.0.0.1:9/app:1"], ByDigest: false, Insecure: false, []), [("a", said), ("b", new Dictionary<string, string>())],
            new DockerConfigFile { Directory = "/nonexistent" }, new Progress<SolveEvent>(), default));
        Assert.Equal(("BuildKit.NodePartInvalid", "b"), (failure.ErrorId, failure.Node));
    }
}
