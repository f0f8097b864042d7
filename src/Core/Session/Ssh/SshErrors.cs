namespace BuildKit.Session.Ssh;

/// <summary>What can be wrong with SSH agents and keys.</summary>
internal static class SshErrors
{
    private const string LoadIntoAgent = "Load it into an agent (ssh-add PATH) and forward that one: -Ssh default.";

    public static BuildKitException Invalid(string message, string? target) => new(
        "BuildKit.InvalidSsh", BuildKitErrorCategory.InvalidArgument, message,
        "Give each id one agent's socket, or key files: -Ssh default, -Ssh 'git=KEY1,KEY2', or @{ id = 'git'; path = 'SOCKET' }.")
    { Target = target };

    public static BuildKitException NoAgent() => new(
        "BuildKit.SshAgentNotFound", BuildKitErrorCategory.NotFound, "There is no SSH agent to forward: the environment variable SSH_AUTH_SOCK is not set.",
        "Start an agent (ssh-agent) and load a key into it (ssh-add), or name a socket or key files: -Ssh default=PATH.")
    { Target = "SSH_AUTH_SOCK" };

    public static BuildKitException AgentNotListening(string path, Exception exception) => new(
        "BuildKit.SshAgentNotFound", BuildKitErrorCategory.NotFound, $"No SSH agent answers at '{path}': {exception.Message}",
        OperatingSystem.IsWindows()
            ? "Start the agent (Start-Service ssh-agent), or set SSH_AUTH_SOCK, or name key files: -Ssh default=PATH."
            : "Check that the agent runs and that SSH_AUTH_SOCK names its socket, or name a socket or key files: -Ssh default=PATH.",
        exception)
    { Target = path };

    public static BuildKitException AgentGone(string path, Exception exception) => new(
        "BuildKit.SshAgentLost", BuildKitErrorCategory.Connection, $"The SSH agent at '{path}' is gone: {exception.Message}",
        "Check that the agent runs.", exception)
    { Target = path };

    public static BuildKitException AgentBroken(string path) => new(
        "BuildKit.SshAgentLost", BuildKitErrorCategory.Protocol, $"What listens at '{path}' does not answer like an SSH agent.",
        "Check that SSH_AUTH_SOCK names an agent's socket.")
    { Target = path };

    public static BuildKitException PathNotFound(string path) => new(
        "BuildKit.SshKeyNotFound", BuildKitErrorCategory.NotFound, $"There is neither an SSH key nor an agent's socket at '{path}'.", "Check the path.")
    { Target = path };

    public static BuildKitException KeyUnreadable(string path, Exception exception) => new(
        "BuildKit.SshKeyUnreadable", exception is UnauthorizedAccessException ? BuildKitErrorCategory.PermissionDenied : BuildKitErrorCategory.InputOutput,
        $"The SSH key '{path}' can't be read: {exception.Message}", "Check that it is a file, and its rights.", exception)
    { Target = path };

    public static BuildKitException KeyInvalid(string path, string why, Exception? exception = null) => new(
        "BuildKit.SshKeyInvalid", BuildKitErrorCategory.InvalidArgument, $"'{path}' is no SSH private key that can be used: {why}.",
        "Name the private key (not the .pub file) in OpenSSH's or PEM form, or forward an agent: -Ssh default.", exception)
    { Target = path };

    public static BuildKitException KeyEncrypted(string path) => new(
        "BuildKit.SshKeyEncrypted", BuildKitErrorCategory.NotSupported, $"The SSH key '{path}' is protected by a passphrase, which is not asked for here.",
        LoadIntoAgent)
    { Target = path };

    public static BuildKitException KeyNotSupported(string path, string why, Exception? exception = null) => new(
        "BuildKit.SshKeyNotSupported", BuildKitErrorCategory.NotSupported, $"The SSH key '{path}' can't be used from its file: {why}.", LoadIntoAgent, exception)
    { Target = path };
}
