using System.Globalization;
using BuildKit.Docker;

namespace BuildKit.Builders.Drivers;

/// <summary>What the options of the driver <c>docker-container</c> ask for, and the table that reads them (docker/buildx driver/docker-container/factory.go).</summary>
internal sealed class DockerContainerOptions
{
    /// <summary>The image that is taken where none is named (docker/buildx driver/bkimage).</summary>
    public const string DefaultImage = "moby/buildkit:buildx-stable-1";

    private const string EnvironmentPrefix = "env.";

    private static readonly Row[] Rows =
    [
        new("image", "the name of an image", Text((options, value) => options.Image = value)),
        new("network", "a network of the Engine, such as 'host'", Text((options, value) => options.Host = options.Host with { NetworkMode = value })),
        new("memory", "a size such as 512m or 2g", Size((options, value) => options.Host = options.Host with { Memory = value })),
        new("memory-swap", "a size such as 512m or 2g, or -1 for no limit", SizeOrUnlimited((options, value) => options.Host = options.Host with { MemorySwap = value })),
        new("cpu-period", "a whole number of microseconds", Number((options, value) => options.Host = options.Host with { CpuPeriod = value })),
        new("cpu-quota", "a whole number of microseconds", Number((options, value) => options.Host = options.Host with { CpuQuota = value })),
        new("cpu-shares", "a whole number", Number((options, value) => options.Host = options.Host with { CpuShares = value })),
        new("cpuset-cpus", "CPUs such as 0-3 or 0,1", Text((options, value) => options.Host = options.Host with { CpusetCpus = value })),
        new("cpuset-mems", "memory nodes such as 0-1 or 0,1", Text((options, value) => options.Host = options.Host with { CpusetMems = value })),
        new("cgroup-parent", "a control group such as /docker/buildx", Text((options, value) => options.CgroupParent = value)),
        new("restart-policy", "no, always, unless-stopped or on-failure[:TRIES]", ReadRestartPolicy),
        new(BuilderDriver.DefaultLoad, "true or false", Boolean((_, _) => { })), // builds ask for it, the container does not
        new("provenance-add-gha", "true or false", Boolean((options, value) => options.AddsGithubContext = value)),
        new("allow-untrusted-image", "true or false", Boolean((_, _) => { })), // turns off a check of buildx's that is not made here
    ];

    private readonly List<string> _environment = [];

    private DockerContainerOptions()
    {
    }

    /// <summary>Tries to take a value; false where it is none that the option knows.</summary>
    private delegate bool Reader(DockerContainerOptions options, string value);

    /// <summary>The names of the options, <c>env.NAME</c> for any variable.</summary>
    public static IReadOnlyList<string> Names { get; } = Rows.Select(row => row.Name).Append(EnvironmentPrefix + "NAME").ToList();

    /// <summary>The image to run.</summary>
    public string Image { get; private set; } = DefaultImage;

    /// <summary>The control group that holds the container's, or null for the default.</summary>
    public string? CgroupParent { get; private set; }

    /// <summary>Whether provenance made by the daemon tells of the GitHub workflow that created it.</summary>
    public bool AddsGithubContext { get; private set; } = true;

    /// <summary>Variables of the daemon, <c>NAME=VALUE</c>.</summary>
    public IReadOnlyList<string> Environment => _environment;

    /// <summary>How the container runs, as far as the options say.</summary>
    public HostConfig Host { get; private set; } = new() { RestartPolicy = new RestartPolicy("unless-stopped", 0) };

    /// <summary>Reads a node's options.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidDriverOption</c>.</exception>
    public static DockerContainerOptions Read(IReadOnlyDictionary<string, string> options)
    {
        var read = new DockerContainerOptions();
        foreach (var (name, value) in options.OrderBy(option => option.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal) && name.Length > EnvironmentPrefix.Length)
                read._environment.Add($"{name[EnvironmentPrefix.Length..]}={value}");
            else if (Array.Find(Rows, row => row.Name == name) is not { } row)
                throw Unknown(name);
            else if (!row.Read(read, value))
                throw Invalid(row, value);
        }
        return read;
    }

    private static Reader Text(Action<DockerContainerOptions, string> take) => (options, value) =>
    {
        // buildx takes an empty value for none
        if (value.Length > 0)
            take(options, value);
        return true;
    };

    private static Reader Number(Action<DockerContainerOptions, long> take) => (options, value) =>
    {
        var isNumber = long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        if (isNumber)
            take(options, number);
        return isNumber;
    };

    private static Reader Boolean(Action<DockerContainerOptions, bool> take) => (options, value) =>
    {
        if (GoBoolean.Parse(value) is not { } answer)
            return false;
        take(options, answer);
        return true;
    };

    private static Reader Size(Action<DockerContainerOptions, long> take) => (options, value) =>
    {
        if (MemorySize.Parse(value) is not { } bytes)
            return false;
        take(options, bytes);
        return true;
    };

    private static Reader SizeOrUnlimited(Action<DockerContainerOptions, long> take) => (options, value) =>
    {
        if (value != "-1")
            return Size(take)(options, value);
        take(options, -1);
        return true;
    };

    private static bool ReadRestartPolicy(DockerContainerOptions options, string value)
    {
        var parts = value.Split(':', 2);
        var tries = 0;
        if (parts[0] is not ("" or "no" or "always" or "unless-stopped" or "on-failure"))
            return false;
        if (parts.Length > 1 && (parts[0] != "on-failure" || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out tries)))
            return false;
        options.Host = options.Host with { RestartPolicy = new RestartPolicy(parts[0], tries) };
        return true;
    }

    private static BuildKitException Unknown(string name) => new(
        "BuildKit.InvalidDriverOption", BuildKitErrorCategory.InvalidArgument, $"The driver docker-container has no option '{name}'.",
        NearestName.Find(name, Names) is { } nearest ? $"Did you mean '{nearest}'?" : $"Its options are {string.Join(", ", Names)}.")
    {
        Target = name,
    };

    private static BuildKitException Invalid(Row row, string value) => new(
        "BuildKit.InvalidDriverOption", BuildKitErrorCategory.InvalidArgument, $"'{value}' can't be the value of the driver option '{row.Name}'.", $"Give it {row.Expected}.")
    {
        Target = row.Name,
    };

    /// <summary>An option.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Expected">What it takes, as an error tells it.</param>
    /// <param name="Read">Takes its value.</param>
    private sealed record Row(string Name, string Expected, Reader Read);
}
