namespace BuildKit.Session.Secrets;

/// <summary>The content of a file, byte for byte.</summary>
internal sealed class FileSecret(string id, string path) : SecretSource(id)
{
    public override void Check()
    {
        try
        {
            if (Directory.Exists(path))
                throw SecretErrors.Invalid($"The file of the secret '{Id}', '{path}', is a directory.", path);
            if (!File.Exists(path))
                throw SecretErrors.FileNotFound(Id, path);
            // What has no length, or only that of a link into /proc, may be a pipe: opening it might wait, and its content can be read only once.
            var file = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
            if (!file.Exists || file.Length == 0)
                return;
            if (file.Length > MaxSize)
                throw SecretErrors.TooLarge(Id);
            File.OpenHandle(path).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SecretErrors.FromFile(Id, path, e);
        }
    }

    protected override async ValueTask<SecretValue> ReadCoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await SecretValue.OfFileAsync(path, MaxSize + 1, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SecretErrors.FromFile(Id, path, e);
        }
    }
}
