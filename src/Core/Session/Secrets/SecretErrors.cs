namespace BuildKit.Session.Secrets;

/// <summary>What can be wrong with a secret. None of the messages holds a value, nor the words of somebody else, which might.</summary>
internal static class SecretErrors
{
    private const string NameItsSource = "Name its source: -Secret id=ID,src=PATH, id=ID,env=VARIABLE, or @{ id = 'ID'; value = (Read-Host -AsSecureString) }.";

    public static BuildKitException Invalid(string message, string? target) =>
        new("BuildKit.InvalidSecret", BuildKitErrorCategory.InvalidArgument, message, NameItsSource) { Target = target };

    public static BuildKitException VariableNotFound(string id, string variable) =>
        NotFound($"The environment variable '{variable}' of the secret '{id}' is not set.", id);

    public static BuildKitException FileNotFound(string id, string path) => NotFound($"The file of the secret '{id}' does not exist: '{path}'.", id);

    public static BuildKitException TooLarge(string id) => new(
        "BuildKit.SecretTooLarge", BuildKitErrorCategory.InvalidArgument,
        $"The secret '{id}' has more than {SecretSource.MaxSize / 1024} KiB, which is the most a secret may have.",
        "Give what is large but not secret as a build context (-BuildContext), encrypted where need be, and only its key as a secret.")
    { Target = id };

    public static BuildKitException FromFile(string id, string path, Exception exception) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => FileNotFound(id, path),
        UnauthorizedAccessException => new BuildKitException(
            "BuildKit.SecretUnreadable", BuildKitErrorCategory.PermissionDenied, $"The file of the secret '{id}' may not be read: '{path}'.",
            "Check the rights of the file and of the directories above it.", exception)
        { Target = path },
        _ => new BuildKitException(
            "BuildKit.SecretUnreadable", BuildKitErrorCategory.InputOutput, $"The file of the secret '{id}' can't be read: '{path}'.",
            "Check that it is a file.", exception)
        { Target = path },
    };

    public static BuildKitException ProviderFailed(string id, Exception exception) => new(
        "BuildKit.SecretProviderFailed", BuildKitErrorCategory.InputOutput, $"What should give the secret '{id}' failed with {exception.GetType().Name}.",
        "Get-Error shows the inner exception.", exception)
    { Target = id };

    private static BuildKitException NotFound(string message, string id) =>
        new("BuildKit.SecretNotFound", BuildKitErrorCategory.NotFound, message, NameItsSource) { Target = id };
}
