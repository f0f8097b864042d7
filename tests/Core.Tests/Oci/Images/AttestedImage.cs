using BuildKit.Oci;
using BuildKit.Oci.Copying;
using BuildKit.Solve;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;

namespace BuildKit.Tests.Oci.Images;

/// <summary>An image of two platforms with provenance and a bill of materials, built once: in a registry, a layout directory and an archive.</summary>
public sealed class AttestedImage : IDisposable
{
    private const string Scan = """
        FROM ${BASE}
        COPY <<"END" /scan
        #!/bin/sh
        cat > $BUILDKIT_SCAN_DESTINATION/tiny.spdx.json <<JSON
        {"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","name":"tiny",
        "creationInfo":{"created":"2024-01-02T03:04:05Z","creators":["Tool: tiny-1"]},"packages":[{"name":"tool","versionInfo":"1.36","SPDXID":"SPDXRef-1",
        "supplier":"NOASSERTION","licenseConcluded":"MIT","licenseDeclared":"NOASSERTION",
        "externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/tool@1.36"}]}]}}
        JSON
        END
        ENTRYPOINT ["/bin/sh", "/scan"]
        """;

    private const string Dockerfile = """
        FROM scratch
        ARG TARGETARCH
        LABEL team="the one" a=b
        COPY <<END /made-$TARGETARCH
        END
        ENV X=1 Y=2
        EXPOSE 80 53/udp
        VOLUME /data
        WORKDIR /w
        USER 1:2
        STOPSIGNAL SIGINT
        HEALTHCHECK CMD /f
        ENTRYPOINT ["/f"]
        CMD ["a", "b"]
        """;

    private readonly BuildContextDirectory _directory = new();
    private readonly Lazy<Task<string>> _built;

    public AttestedImage() => _built = new(BuildAsync);

    public string LayoutPath => _directory.At("layout");

    public string ArchivePath => _directory.At("image.tar");

    /// <summary>Its name in the registry; it is built when the first test asks.</summary>
    public Task<string> NameAsync => _built.Value;

    /// <summary>Where it is.</summary>
    /// <param name="place"><c>registry</c>, <c>layout</c> or <c>archive</c>.</param>
    internal async Task<OciAddress> LocationAsync(string place)
    {
        var name = await NameAsync;
        return OciAddress.Parse(place switch { "registry" => name, "layout" => LayoutPath, _ => ArchivePath }, Path.GetFullPath);
    }

    public void Dispose() => _directory.Dispose();

    private async Task<string> BuildAsync()
    {
        var engine = await TestEngines.GetAsync(EngineKind.BuildkitdUnix);
        var generator = await OptionBuilds.PushAsync("images/generator", Scan);
        var name = $"{await OptionBuilds.RegistryAsync()}/images/attested:{Guid.NewGuid():N}";
        await OptionBuilds.BuildAsync(engine, Dockerfile, request => request with
        {
            Tags = [name],
            Platforms = ["linux/amd64", "linux/arm64"],
            BuildArgs = new Dictionary<string, string>(request.BuildArgs) { ["SOURCE_DATE_EPOCH"] = "1700000000" },
            Annotations = ["note=kept", "index:about=both"],
            Attestations =
            [
                new SolveAttestation { Type = "provenance", Attributes = new Dictionary<string, string> { ["mode"] = "max" } },
                new SolveAttestation { Type = "sbom", Attributes = new Dictionary<string, string> { ["generator"] = generator } },
            ],
            Outputs =
            [
                new SolveOutput { Type = "image", Attributes = new Dictionary<string, string> { ["push"] = "true" } },
                new SolveOutput { Type = "oci", Destination = LayoutPath, Attributes = new Dictionary<string, string> { ["tar"] = "false" } },
                new SolveOutput { Type = "oci", Destination = ArchivePath },
            ],
        });
        return name;
    }
}
