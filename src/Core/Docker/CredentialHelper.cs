using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace BuildKit.Docker;

/// <summary>
/// Asks a <c>docker-credential-…</c> program for the credentials of a registry: the address on its standard input, JSON on its standard output (docker/docker-credential-helpers).
/// It is started directly, without a shell, from an absolute directory of the PATH only. What it prints may hold a secret and is never shown.
/// </summary>
internal sealed class CredentialHelper
{
    private const string Prefix = "docker-credential-";
    private const string NotFoundMessage = "credentials not found in native keychain";
    private const string TokenUsername = "<token>";
    private const int LargestAnswer = 1 << 20;

    private readonly string _name;
    private readonly string? _searchPath;
    private readonly TimeSpan _timeout;

    /// <param name="suffix">What follows <c>docker-credential-</c> in the program's name.</param>
    /// <param name="searchPath">The PATH.</param>
    /// <param name="timeout">How long it may take; a person may have to unlock a key chain.</param>
    public CredentialHelper(string suffix, string? searchPath, TimeSpan timeout)
    {
        _name = Prefix + suffix;
        _searchPath = searchPath;
        _timeout = timeout;
    }

    /// <summary>The program's name.</summary>
    public string Name => _name;

    /// <summary>The credentials, or an empty set where the program has none.</summary>
    /// <param name="server">The registry as the docker config names it.</param>
    /// <param name="cancellationToken">Ends the program as well.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.CredentialHelperNotFound</c>, <c>BuildKit.CredentialHelperFailed</c> or <c>BuildKit.CredentialHelperTimeout</c>.</exception>
    public async Task<DockerAuthConfig> GetAsync(string server, CancellationToken cancellationToken)
    {
        using var process = Start(server);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(_timeout);
        var answer = new byte[4096];
        try
        {
            // Drained so that the program does not block, but not waited for: an agent that it starts may keep it open.
            _ = DrainAsync(process.StandardError.BaseStream);
            await WriteAsync(process.StandardInput.BaseStream, server, stop.Token).ConfigureAwait(false);
            var length = 0;
            int read;
            while ((read = await process.StandardOutput.BaseStream.ReadAsync(answer.AsMemory(length), stop.Token).ConfigureAwait(false)) > 0)
            {
                length += read;
                if (length > LargestAnswer)
                    throw Failed(server, "it printed more than 1 MiB");
                if (length == answer.Length)
                    Grow(ref answer);
            }
            await process.WaitForExitAsync(stop.Token).ConfigureAwait(false);
            return Read(server, process.ExitCode, answer.AsSpan(0, length));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BuildKitException(
                "BuildKit.CredentialHelperTimeout", BuildKitErrorCategory.PermissionDenied,
                $"The credential helper '{_name}' did not answer within {_timeout.TotalSeconds:0} s for '{server}'.",
                $"Run 'echo {server} | {_name} get' in a terminal to see what it waits for, such as a key chain that is locked.")
            { Target = _name };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(answer);
            Kill(process);
        }
    }

    private Process Start(string server)
    {
        var start = new ProcessStartInfo(Find(server))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.ArgumentList.Add("get");
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw Failed(server, $"it can't be started: {e.Message}", e);
        }
    }

    // .NET would look beside the host program and in the current directory first, where anybody may have put one.
    /// <summary>The program's path.</summary>
    /// <param name="server">The registry that it is for.</param>
    /// <exception cref="BuildKitException"><c>BuildKit.CredentialHelperNotFound</c>.</exception>
    public string Find(string server)
    {
        if (_name.AsSpan().IndexOfAny('/', '\\') < 0)
        {
            var file = OperatingSystem.IsWindows() ? _name + ".exe" : _name;
            foreach (var directory in (_searchPath ?? string.Empty).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            {
                if (!Path.IsPathFullyQualified(directory))
                    continue;
                var path = Path.Combine(directory, file);
                if (File.Exists(path) && IsExecutable(path))
                    return path;
            }
        }
        throw new BuildKitException(
            "BuildKit.CredentialHelperNotFound", BuildKitErrorCategory.NotFound,
            $"The docker config names the credential helper '{_name}' for '{server}', and there is no such program on the PATH.",
            $"Install '{_name}', or remove it (credsStore, credHelpers) from the docker config.")
        { Target = _name };
    }

    private DockerAuthConfig Read(string server, int exitCode, ReadOnlySpan<byte> answer)
    {
        if (exitCode != 0)
        {
            // Compared, never shown.
            if (Encoding.UTF8.GetString(answer).Trim() == NotFoundMessage)
                return new DockerAuthConfig();
            throw Failed(server, $"it ended with exit code {exitCode}");
        }
        CredentialHelperResponse? response;
        try
        {
            response = JsonSerializer.Deserialize(answer, CredentialJson.Default.CredentialHelperResponse);
        }
        catch (JsonException)
        {
            // Without the inner exception, whose text may quote the answer.
            throw Failed(server, "what it printed is not the JSON that was expected");
        }
        return response?.Username == TokenUsername
            ? new DockerAuthConfig { IdentityToken = response.Secret }
            : new DockerAuthConfig { Username = response?.Username, Password = response?.Secret };
    }

    private BuildKitException Failed(string server, string why, Exception? inner = null) => new(
        "BuildKit.CredentialHelperFailed", BuildKitErrorCategory.PermissionDenied, $"The credential helper '{_name}' has failed for '{server}': {why}.",
        $"Run 'echo {server} | {_name} get' in a terminal to see why, or log in again.", inner)
    { Target = _name };

    private static async Task WriteAsync(Stream input, string server, CancellationToken cancellationToken)
    {
        try
        {
            await using (input.ConfigureAwait(false))
                await input.WriteAsync(Encoding.UTF8.GetBytes(server), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // A program that needs no input may be gone already; its answer tells.
        }
    }

    private static async Task DrainAsync(Stream error)
    {
        try
        {
            await error.CopyToAsync(Stream.Null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The process is disposed.
        }
    }

    private static void Grow(ref byte[] buffer)
    {
        var larger = new byte[buffer.Length * 2];
        buffer.CopyTo(larger, 0);
        CryptographicOperations.ZeroMemory(buffer);
        buffer = larger;
    }

    private static void Kill(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended meanwhile.
        }
    }

    private static bool IsExecutable(string path) =>
        OperatingSystem.IsWindows()
        || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
}
