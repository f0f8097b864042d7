using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace BuildKit.Module.Completion;

/// <summary>Completes options whose values, or their beginnings, are a known set.</summary>
public sealed class OptionCompleter : IArgumentCompleter
{
    private static readonly Dictionary<string, string[]> Values = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Allow"] = ["network.host", "security.insecure", "device", "device="],
        ["Annotation"] = ["manifest:", "index:", "manifest-descriptor:", "index-descriptor:"],
        ["Attest"] = ["type=provenance,mode=max", "type=provenance,mode=min", "type=provenance,disabled=true", "type=sbom", "type=sbom,generator=", "type=sbom,disabled=true"],
        ["CacheFrom"] = ["type=registry,ref=", "type=local,src=", "type=gha", "type=s3,region=", "type=azblob,name="],
        ["CacheTo"] = ["type=inline", "type=registry,ref=", "type=local,dest=", "type=gha", "type=s3,region=", "type=azblob,name="],
        ["Compression"] = ["uncompressed", "gzip", "estargz", "zstd"],
        ["Network"] = ["default", "none", "host"],
        // What base images commonly come in.
        ["Platform"] =
        [
            "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386", "linux/ppc64le", "linux/riscv64", "linux/s390x", "windows/amd64",
        ],
        ["Provenance"] = ["true", "false", "mode=max", "mode=min"],
        ["Sbom"] = ["true", "false", "generator="],
        ["Ulimit"] =
        [
            "core=", "cpu=", "data=", "fsize=", "locks=", "memlock=", "msgqueue=", "nice=", "nofile=", "nproc=", "rss=", "rtprio=", "rttime=", "sigpending=", "stack=",
        ],
    };

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        parameterName is not null && Values.TryGetValue(parameterName, out var values) ? Completions.Matching(values, wordToComplete) : [];
}
