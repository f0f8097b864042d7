using System.Security.Cryptography;
using System.Text.Json;

namespace BuildKit.Session.Auth;

/// <summary>
/// A random number for each registry, kept in the docker config's folder and shared with the docker CLI (buildkit session/auth/authprovider/tokenseed.go): it makes the key that proves
/// to a daemon that two sessions hold the same credentials, and keeps the daemon from choosing what is signed.
/// </summary>
internal sealed class TokenSeeds(string directory) : IDisposable
{
    private const int SeedSize = 16;
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockInterval = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, byte[]> _known = new(StringComparer.Ordinal);

    private string FilePath => Path.Combine(directory, ".token_seed");

    /// <summary>The seed of a registry; a new one is stored. Where the folder can't be written, it lives as long as this object.</summary>
    public async Task<byte[]> GetAsync(string host, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_known.TryGetValue(host, out var known))
                return known;
            var seed = await ReadOrStoreAsync(host, cancellationToken).ConfigureAwait(false);
            _known.Add(host, seed);
            return seed;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<byte[]> ReadOrStoreAsync(string host, CancellationToken cancellationToken)
    {
        var fresh = RandomNumberGenerator.GetBytes(SeedSize);
        try
        {
            Directory.CreateDirectory(directory);
            var held = await LockAsync(cancellationToken).ConfigureAwait(false);
            await using (held.ConfigureAwait(false))
            {
                var seeds = await ReadAsync(cancellationToken).ConfigureAwait(false);
                if (seeds.TryGetValue(host, out var entry) && entry.Seed is { Length: > 0 } seed)
                    return seed;
                seeds[host] = new TokenSeedEntry { Seed = fresh };
                await WriteAsync(seeds, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Read-only or not ours: upstream goes on with a seed of its own, too.
        }
        return fresh;
    }

    // The docker CLI locks this file with flock, as .NET does for a file that is not shared; on Windows with LockFileEx.
    private async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var waited = TimeSpan.Zero;
        while (true)
        {
            try
            {
                return Lock();
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException) && waited < LockPatience)
            {
                await Task.Delay(LockInterval, cancellationToken).ConfigureAwait(false);
                waited += LockInterval;
            }
        }
    }

    private FileStream Lock()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = OperatingSystem.IsWindows() ? FileShare.ReadWrite : FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(FilePath + ".lock", options);
        try
        {
            if (OperatingSystem.IsWindows())
                file.Lock(0, 1);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private async Task<Dictionary<string, TokenSeedEntry>> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await File.ReadAllBytesAsync(FilePath, cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Deserialize(bytes, TokenSeedJson.Default.DictionaryStringTokenSeedEntry) ?? [];
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            // None yet, or one that a crash cut off; upstream starts anew then.
            return [];
        }
    }

    private async Task WriteAsync(Dictionary<string, TokenSeedEntry> seeds, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var temporary = FilePath + ".new";
        var file = new FileStream(temporary, options);
        await using (file.ConfigureAwait(false))
            await file.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(seeds, TokenSeedJson.Default.DictionaryStringTokenSeedEntry), cancellationToken).ConfigureAwait(false);
        File.Move(temporary, FilePath, overwrite: true);
    }
}
