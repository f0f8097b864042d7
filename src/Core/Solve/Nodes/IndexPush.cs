using System.Text;
using BuildKit.Docker;
using BuildKit.Oci;
using BuildKit.Registry;

namespace BuildKit.Solve.Nodes;

/// <summary>Joins what the nodes have pushed into one index, and gives it the image's names (docker/buildx build/build.go, «merging manifest list»).</summary>
internal static class IndexPush
{
    // moby/buildkit exporter/containerimage/exptypes.
    private const string DescriptorKey = "containerimage.descriptor";

    /// <summary>Joins them, in every repository before it gets a name in any.</summary>
    /// <param name="image">The image.</param>
    /// <param name="responses">The nodes' names, and what their exporters returned.</param>
    /// <param name="config">Where the registries' credentials are.</param>
    /// <param name="events">Is told of it as of a step of the build.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The index.</returns>
    /// <exception cref="BuildKitException">A registry can't be reached, refuses, or has not got what a node said it pushed.</exception>
    public static async Task<JoinedIndex> RunAsync(
        JoinedImage image, IReadOnlyList<(string Node, IReadOnlyDictionary<string, string> Response)> responses, DockerConfigFile config, IProgress<SolveEvent> events,
        CancellationToken cancellationToken)
    {
        var digests = responses.Select(node => DigestOf(node.Node, node.Response)).ToList();
        var step = LocalVertex.Start($"merging manifest list {string.Join(',', image.Names)}");
        Show(step);
        try
        {
            using var credentials = new CredentialStore(config);
            using var registries = new RegistryClients(new RegistryOptions { Credentials = credentials, IsInsecure = image.Insecure });
            var index = await JoinAsync(image, digests, registries, cancellationToken).ConfigureAwait(false);
            foreach (var repository in image.Repositories)
                await PutAsync(repository, index.Digest).ConfigureAwait(false);
            if (!image.ByDigest)
                foreach (var name in image.Names)
                    await PutAsync(name, name[(name.LastIndexOf(':') + 1)..]).ConfigureAwait(false);
            Show(step with { Completed = DateTimeOffset.UtcNow });
            return index;

            async Task PutAsync(string name, string tagOrDigest)
            {
                var client = await registries.GetAsync(ImageReference.Parse(name), cancellationToken).ConfigureAwait(false);
                await client.PutManifestAsync(tagOrDigest, index.MediaType, index.Content, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            Show(step with { Completed = DateTimeOffset.UtcNow, Error = exception is OperationCanceledException ? "context canceled" : exception.Message });
            throw;
        }

        void Show(SolveVertex vertex) => events.Report(new SolveEvent([vertex], [], [], []));
    }

    // Every node pushed to every repository.
    private static async Task<JoinedIndex> JoinAsync(JoinedImage image, IReadOnlyList<string> digests, RegistryClients registries, CancellationToken cancellationToken)
    {
        var client = await registries.GetAsync(ImageReference.Parse(image.Repositories[0]), cancellationToken).ConfigureAwait(false);
        var parts = new List<OciIndex>();
        try
        {
            foreach (var digest in digests)
                parts.Add(OciIndex.Parse((await client.GetManifestAsync(digest, cancellationToken).ConfigureAwait(false)).Content));
            return IndexJoin.Join(parts, image.Annotations);
        }
        catch (FormatException e)
        {
            throw new BuildKitException(
                "BuildKit.NodePartInvalid", BuildKitErrorCategory.Protocol, $"What a node pushed to '{image.Repositories[0]}' is no index: {e.Message}.",
                "Build with nodes of the same, newer BuildKit.", e)
            { Target = image.Repositories[0] };
        }
    }

    private static string DigestOf(string node, IReadOnlyDictionary<string, string> response) =>
        DescribedDigest(response) ?? response.GetValueOrDefault(SolveResultReader.ImageDigestKey) ?? throw new BuildKitException(
            "BuildKit.NodePartInvalid", BuildKitErrorCategory.Protocol, "It did not say what it has pushed.", "Build with nodes of a newer BuildKit.")
        { Node = node };

    // Daemons before 0.10 tell the digest alone.
    private static string? DescribedDigest(IReadOnlyDictionary<string, string> response)
    {
        if (response.GetValueOrDefault(DescriptorKey) is not { Length: > 0 } text)
            return null;
        try
        {
            return OciDescriptor.Parse(Convert.FromBase64String(text)).Digest.ToString();
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
