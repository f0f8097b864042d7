using System.Collections;
using System.Management.Automation;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Module.Progress;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <content>The parameters, and the request they make.</content>
public sealed partial class InvokeBuildKitSolveCommand
{
    /// <summary>
    /// The build context: a folder, a git or http URL that the daemon fetches, an archive's path, a stream, bytes, or <c>-</c> for the standard input.
    /// Bytes from the pipeline are the context of one build together.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath")]
    [ValidateNotNullOrEmpty]
    public object Context { get; set; } = ".";

    /// <summary>The Dockerfile: a path, which may lie outside the context, or its text.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("File")]
    [ValidateNotNullOrEmpty]
    public string? Dockerfile { get; set; }

    // Not bound by property name: a folder object has a Target of its own.
    /// <summary>The stage to build; the last one where it is left out.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TargetCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Target { get; set; }

    /// <summary>Values of <c>ARG</c>s. One that is null is taken from the environment.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary BuildArg { get; set; } = new Hashtable();

    /// <summary>Names of the image.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] Tag { get; set; } = [];

    /// <summary>Labels of the image.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary Label { get; set; } = new Hashtable();

    /// <summary>Platforms to build for.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Platform { get; set; } = [];

    /// <summary>Whether no step's result is taken from the cache.</summary>
    [Parameter]
    public SwitchParameter NoCache { get; set; }

    /// <summary>Whether base images are looked up in their registry even where they are present.</summary>
    [Parameter]
    public SwitchParameter Pull { get; set; }

    /// <summary>Where the result goes: strings as docker users write them, hashtables, or the path of a folder.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OutputCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Output { get; set; } = [];

    /// <summary>Whether the image is put into the Docker Engine's store as well.</summary>
    [Parameter]
    public SwitchParameter Load { get; set; }

    /// <summary>Further contexts by name: folders, <c>docker-image://</c>, <c>oci-layout://</c>, git and http URLs, <c>target:</c> names.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary BuildContext { get; set; } = new Hashtable();

    /// <summary>Annotations: <c>KEY=VALUE</c> texts with docker's type prefixes, or hashtables.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Annotation { get; set; } = [];

    /// <summary>Stages whose results are not taken from the cache.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TargetCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] NoCacheFilter { get; set; } = [];

    /// <summary>Whether the image is pushed to its registry as well.</summary>
    [Parameter]
    public SwitchParameter Push { get; set; }

    /// <summary>The Docker Engine that images are loaded into where the builder is none: an address, the name of a docker context, or an open connection.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public object? LoadInto { get; set; }

    /// <summary>Where cached results are looked for: strings as docker users write them, or hashtables.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] CacheFrom { get; set; } = [];

    /// <summary>Where cached results are written to: strings as docker users write them, or hashtables.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] CacheTo { get; set; } = [];

    /// <summary>Secrets for steps: strings as docker users write them, or hashtables.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(SecretCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Secret { get; set; } = [];

    /// <summary>SSH agents and keys for steps: strings as docker users write them, or hashtables.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(SshCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Ssh { get; set; } = [];

    /// <summary>Entitlements granted to the build.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Allow { get; set; } = [];

    /// <summary>The network of <c>RUN</c> steps: <c>default</c>, <c>none</c> or <c>host</c>.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Network { get; set; }

    /// <summary>Further names for hosts: <c>NAME:ADDRESS</c> texts, or hashtables.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public object[] AddHost { get; set; } = [];

    /// <summary>The size of <c>/dev/shm</c> in steps: bytes, or docker's <c>64m</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public object? ShmSize { get; set; }

    /// <summary>Resource limits of steps, such as <c>nofile=1024:2048</c>.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[] Ulimit { get; set; } = [];

    /// <summary>The parent cgroup of steps.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CgroupParent { get; set; }

    /// <summary>Attestations of the result: strings as docker users write them, or hashtables.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object[] Attest { get; set; } = [];

    /// <summary>Shorthand for <c>-Attest type=provenance</c>: <c>$true</c>, <c>$false</c> or its attributes.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object? Provenance { get; set; }

    /// <summary>Shorthand for <c>-Attest type=sbom</c>: <c>$true</c>, <c>$false</c> or its attributes.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(OptionCompleter))]
    [ValidateNotNullOrEmpty]
    public object? Sbom { get; set; }

    /// <summary>The time that stands in the image for the time of the build: seconds since 1970, or a date.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public object? SourceDateEpoch { get; set; }

    /// <summary>The image of a frontend to build with.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Frontend { get; set; }

    /// <summary>Options for the frontend, as they go over the wire.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary FrontendOption { get; set; } = new Hashtable();

    /// <summary>How the build is shown while it runs.</summary>
    [Parameter]
    public ProgressMode Progress { get; set; }

    /// <summary>A file that gets the build's metadata as JSON.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? MetadataFile { get; set; }

    /// <summary>A file that gets the image's id.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("IidFile")]
    [ValidateNotNullOrEmpty]
    public string? ImageIdFile { get; set; }

    /// <summary>Whether the build runs as a job, beside the session.</summary>
    [Parameter]
    public SwitchParameter AsJob { get; set; }

    /// <inheritdoc/>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    // Without the secrets, which are not to be fetched before it is sure that they are needed.
    private SolveRequest ToRequest(ContextArgument context)
    {
        // In an archive the Dockerfile is a path within it, as it is with a URL.
        var dockerfile = DockerfileArgument.Read(SessionState, Dockerfile, context.Location ?? string.Empty);
        return new SolveRequest
        {
            Context = context.Location,
            ContextArchive = context.Stream,
            Dockerfile = dockerfile.Path,
            DockerfileText = dockerfile.Text,
            BuildContexts = BuildContextArgument.Read(SessionState, BuildContext),
            Target = Target,
            BuildArgs = StringTable.ReadBuildArgs(BuildArg),
            Tags = Tag,
            Labels = StringTable.Read(Label),
            Annotations = AnnotationArgument.Read(Annotation),
            Platforms = Platform,
            NoCache = NoCache,
            NoCacheFilter = NoCacheFilter,
            Pull = Pull,
            Outputs = _outputs,
            Push = Push,
            Load = Load,
            CacheFrom = CacheArgument.Read(SessionState, CacheFrom),
            CacheTo = CacheArgument.Read(SessionState, CacheTo),
            Ssh = SshArgument.Read(SessionState, Ssh),
            Attestations = AttestArgument.Read(Attest, Provenance, Sbom),
            Entitlements = Allow,
            Network = Network,
            AddHosts = AddHostArgument.Read(AddHost),
            ShmSize = ByteSizeArgument.Read(ShmSize),
            Ulimits = Ulimit,
            CgroupParent = CgroupParent,
            SourceDateEpoch = SourceDateEpochArgument.Read(SourceDateEpoch),
            SourcePolicyFile = Environment.GetEnvironmentVariable("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY") is { Length: > 0 } policy ? FileSystemPath.Resolve(SessionState, policy) : null,
            Frontend = Frontend,
            FrontendOptions = StringTable.Read(FrontendOption),
            MetadataFile = FileSystemPath.Resolve(SessionState, MetadataFile),
            ImageIdFile = FileSystemPath.Resolve(SessionState, ImageIdFile),
        };
    }
}
