using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace BuildKit.Tests.Engines;

/// <summary>What is in a test registry, as a writer sees it.</summary>
internal static class RegistryContent
{
    private static readonly string[] ManifestTypes =
    [
        "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
    ];

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>The digest of what a name leads to.</summary>
    public static async Task<string> DigestAsync(TestEngine registry, string name) =>
        "sha256:" + Convert.ToHexString(SHA256.HashData(await ManifestAsync(registry, name))).ToLowerInvariant();

    /// <summary>The bytes of the manifest or index that a name leads to.</summary>
    public static async Task<byte[]> ManifestAsync(TestEngine registry, string name)
    {
        var path = name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var colon = path.LastIndexOf(path.Contains('@', StringComparison.Ordinal) ? '@' : ':');
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(registry.Address, $"/v2/{path[..colon]}/manifests/{path[(colon + 1)..]}"));
        foreach (var type in ManifestTypes)
            request.Headers.Accept.ParseAdd(type);
        request.Headers.Authorization = registry.Kind switch
        {
            EngineKind.RegistryBasic => Basic(),
            EngineKind.RegistryToken => new AuthenticationHeaderValue("Bearer", await TokenAsync(registry, path[..colon])),
            _ => null,
        };
        using var response = await Http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync();
    }

    private static AuthenticationHeaderValue Basic() => new("Basic", RegistryAccount.Writer.Base64);

    /// <summary>A token to pull and push with.</summary>
    public static async Task<string> TokenAsync(TestEngine registry, string repository)
    {
        using var challenge = await Http.GetAsync(new Uri(registry.Address, "/v2/"));
        var realm = challenge.Headers.WwwAuthenticate.Single().Parameter!.Split('"')[1];
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{realm}?service=test-registry&scope=repository:{repository}:pull,push") { Headers = { Authorization = Basic() } };
        using var response = await Http.SendAsync(request);
        using var json = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync());
        return json.RootElement.GetProperty("token").GetString()!;
    }
}
