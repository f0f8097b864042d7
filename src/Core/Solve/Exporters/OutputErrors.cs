namespace BuildKit.Solve.Exporters;

/// <summary>Why outputs are refused before anything is built.</summary>
internal static class OutputErrors
{
    public static BuildKitException Unknown(string type) => Invalid(
        "BuildKit.OutputUnknown", $"There is no output of type '{type}'.",
        NearestName.Find(type, ExporterTable.Types) is { } nearest
            ? $"Did you mean '{nearest}'? There are: {string.Join(", ", ExporterTable.Types)}."
            : $"Use one of: {string.Join(", ", ExporterTable.Types)}.",
        type);

    public static BuildKitException NotSupported(ExporterRow row) => Impossible(
        "BuildKit.OutputNotSupported", $"The output '{row.Type}'{Where(row.Destination)} can't be had from this daemon: {row.Reason}.", row.WayOut, row.Type);

    public static BuildKitException MissingDestination(ExporterRow row) => Invalid(
        "BuildKit.OutputNeedsDestination", $"The output '{row.Type}' needs a destination: {(row.Destination == ExporterDestination.File ? "a file" : "a directory")}.",
        $"Add it: -Output {ExporterExamples.Find(row).Output}.", row.Type);

    public static BuildKitException NoDestination(ExporterRow row, string? destination) => Invalid(
        "BuildKit.OutputTakesNoDestination", $"The output '{row.Type}' is kept by the daemon and takes no destination.",
        "Leave out dest, or use type=local, tar, oci or docker.", destination ?? row.Type);

    public static BuildKitException NotToStream(ExporterRow row) => Invalid(
        "BuildKit.OutputNotToStream", $"The output '{row.Type}'{Where(row.Destination)} is many files, and can't be written to the pipeline.",
        "Name a directory as dest, or use type=tar, or type=oci without tar=false.", row.Type);

    public static BuildKitException IsDirectory(ExporterRow row, string destination) => Invalid(
        "BuildKit.OutputIsDirectory", $"The output '{row.Type}' is one file, but '{destination}' is a directory.", "Name a file in that directory as dest.", destination);

    public static BuildKitException IsFile(ExporterRow row, string destination) => Invalid(
        "BuildKit.OutputIsFile", $"The output '{row.Type}'{Where(row.Destination)} is a directory, but '{destination}' is a file.",
        "Name another directory as dest, or use type=tar.", destination);

    public static BuildKitException SharedDestination(string destination) => Invalid(
        "BuildKit.OutputDestinationTwice", $"Two outputs have the same destination '{destination}'.", "Give each output a destination of its own.", destination);

    public static BuildKitException SharedStream() => Invalid(
        "BuildKit.OutputDestinationTwice", "Two outputs are to be written to the same pipeline or stream.", "Give all but one of them a file as dest.", null);

    public static BuildKitException SeveralPlatforms() => Impossible(
        "BuildKit.MultiPlatformNotSupported", $"Several platforms were asked for, but {ExporterTable.OnePlatformReason}; this daemon can't build for several at once.",
        $"{ExporterTable.ContainerdStoreWayOut[..^1]}, or name one platform.", null);

    public static BuildKitException NoIndex(ExporterRow row, string what) => Impossible(
        "BuildKit.ManifestListNotSupported", $"The output '{row.Type}'{Where(row.Destination)} holds one image and no manifest list, so {what} do not fit in.",
        "Use type=oci in place of type=docker: docker load takes that too, where the Engine has the containerd image store.", row.Type);

    public static BuildKitException PushNeedsTag(ExporterRow row) => Invalid(
        "BuildKit.PushNeedsTag", $"The output '{row.Type}' is to be pushed, but it has no name that says where to.",
        "Name the image with -Tag registry.example.com/team/app:1.0, or with name= in the output.", row.Type);

    public static BuildKitException PushByDigest(ExporterRow row) => Impossible(
        "BuildKit.PushByDigestNotSupported", $"The output '{row.Type}' can't be pushed by digest from {ExporterTable.Describe(row.Daemon)}: an Engine gives every image a tag.",
        "Leave out push-by-digest, or build with a standalone buildkitd.", row.Type);

    public static BuildKitException PushByDigestTag(string name) => Invalid(
        "BuildKit.PushByDigestTakesNoTag", $"'{name}' has a tag, but what is pushed by digest (push-by-digest=true) has none.", "Leave out the tag.", name);

    public static BuildKitException BadValue(ExporterRow row, ExporterAttribute attribute, string value) => Invalid(
        "BuildKit.OutputAttributeInvalid", $"'{value}' can't be the value of {attribute.Name} of the output '{row.Type}'.",
        attribute.Type == ExporterAttributeType.Integer ? "It is a whole number." : "It is true or false.", row.Type);

    public static BuildKitException DeleteMode(string? destination) => Impossible(
        "BuildKit.OutputModeNotSupported", "The output 'local' leaves files alone that are in its destination already, so mode=delete can't be had.",
        "Empty the directory first, or name a new one.", destination);

    private static string Where(ExporterDestination destination) => destination switch
    {
        ExporterDestination.File => " to a file",
        ExporterDestination.Layout => " to a layout directory",
        _ => "",
    };

    private static BuildKitException Invalid(string id, string message, string action, string? target) =>
        new(id, BuildKitErrorCategory.InvalidArgument, message, action) { Target = target };

    private static BuildKitException Impossible(string id, string message, string? action, string? target) =>
        new(id, BuildKitErrorCategory.NotSupported, message, action) { Target = target };
}
