namespace BuildKit.Builders.Drivers;

/// <summary>The drivers, one a row.</summary>
internal static class BuilderDrivers
{
    private static readonly BuilderDriver[] Rows = [new DockerDriver(), new DockerContainerDriver(), new RemoteDriver()];

    /// <summary>What they are called, the one that is taken where none is named first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["docker-container", "docker", "remote"];

    /// <summary>A builder's driver.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.BuilderNotSupported</c>.</exception>
    public static BuilderDriver Of(BuildKitBuilder builder) => Find(builder.Driver) ?? throw new BuildKitException(
        "BuildKit.BuilderNotSupported", BuildKitErrorCategory.NotSupported, $"The builder '{builder.Name}' can't be used: its driver is '{builder.Driver}'.",
        "Builders with the drivers docker, docker-container and remote can be used.")
    { Target = builder.Name };

    /// <summary>The driver of that name; an empty one is docker's. Null where there is none.</summary>
    public static BuilderDriver? Find(string name) => Array.Find(Rows, driver => driver.Name == (name.Length == 0 ? "docker" : name));
}
