namespace BuildKit.Session.Ssh;

/// <summary>Makes agents of what a user asks for (buildkit session/sshforward/sshprovider): one socket, or key files.</summary>
internal static class SshAgents
{
    private const int MissingDeviceOrAddress = 6;
    private const int OperationNotSupportedMac = 102;

    /// <summary>Opens the agents, so that what is wrong is known before the build: sockets are connected to once, keys are read.</summary>
    /// <param name="requests">An id, and the paths of one socket or of key files; no path means the user's own agent.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <returns>The agents by id; the caller disposes them.</returns>
    /// <exception cref="BuildKitException">An agent does not answer, or a key can't be used.</exception>
    public static Task<Dictionary<string, ISshAgent>> OpenAsync(IEnumerable<(string Id, IReadOnlyList<string> Paths)> requests, CancellationToken cancellationToken) =>
        OpenAsync(requests, Environment.GetEnvironmentVariable, OperatingSystem.IsWindows(), cancellationToken);

    internal static async Task<Dictionary<string, ISshAgent>> OpenAsync(
        IEnumerable<(string Id, IReadOnlyList<string> Paths)> requests, Func<string, string?> getEnvironmentVariable, bool isWindows, CancellationToken cancellationToken)
    {
        var agents = new Dictionary<string, ISshAgent>(StringComparer.Ordinal);
        try
        {
            foreach (var (id, paths) in requests)
            {
                if (agents.ContainsKey(id))
                    throw SshErrors.Invalid($"The SSH id '{id}' is given twice.", id);
                agents.Add(id, paths.Count == 0
                    ? await OpenDefaultAsync(getEnvironmentVariable, isWindows, cancellationToken).ConfigureAwait(false)
                    : await OpenAsync(id, paths, isWindows, cancellationToken).ConfigureAwait(false));
            }
            return agents;
        }
        catch
        {
            foreach (var agent in agents.Values)
                agent.Dispose();
            throw;
        }
    }

    private static async Task<ISshAgent> OpenDefaultAsync(Func<string, string?> getEnvironmentVariable, bool isWindows, CancellationToken cancellationToken)
    {
        var path = SshAgentAddress.Default(getEnvironmentVariable, isWindows) ?? throw SshErrors.NoAgent();
        var address = SshAgentAddress.Parse(path, isWindows);
        return await TryConnectAsync(address, cancellationToken).ConfigureAwait(false) is { } failure
            ? throw SshErrors.AgentNotListening(path, failure)
            : new ForwardedAgent(address);
    }

    private static async Task<ISshAgent> OpenAsync(string id, IReadOnlyList<string> paths, bool isWindows, CancellationToken cancellationToken)
    {
        var keys = new List<SshPrivateKey>();
        try
        {
            foreach (var path in paths)
            {
                var address = SshAgentAddress.Parse(path, isWindows);
                var failure = await TryConnectAsync(address, cancellationToken).ConfigureAwait(false);
                if (failure is null && paths.Count > 1)
                    throw SshErrors.Invalid($"'{path}' is an SSH agent's socket, and not the only path of '{id}'.", path);
                if (failure is null)
                    return new ForwardedAgent(address);
                keys.Add(await ReadKeyAsync(address, failure, cancellationToken).ConfigureAwait(false));
            }
            return new KeyAgent(keys);
        }
        catch
        {
            foreach (var key in keys)
                key.Dispose();
            throw;
        }
    }

    // .NET can't ask what a path is. Nobody listens on a file, and no socket can be opened as a file.
    private static async Task<IOException?> TryConnectAsync(SshAgentAddress address, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await address.ConnectAsync(cancellationToken).ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            return null;
        }
        catch (IOException e)
        {
            return e;
        }
    }

    private static async Task<SshPrivateKey> ReadKeyAsync(SshAgentAddress address, IOException connectFailure, CancellationToken cancellationToken)
    {
        if (address.Pipe is not null)
            throw SshErrors.AgentNotListening(address.Path, connectFailure);
        try
        {
            return await SshKeyFile.ReadAsync(address.Path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw SshErrors.PathNotFound(address.Path);
        }
        catch (IOException e) when (e.HResult is MissingDeviceOrAddress or OperationNotSupportedMac)
        {
            throw SshErrors.AgentNotListening(address.Path, connectFailure);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SshErrors.KeyUnreadable(address.Path, e);
        }
    }
}
