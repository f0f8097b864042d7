namespace BuildKit.Oci;

/// <summary>Writes the parts of a tar archive, forward only.</summary>
internal static class OciTarWriter
{
    /// <summary>Writes a file.</summary>
    public static Task WriteFileAsync(Stream to, string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        WriteFileAsync(to, OciTarHeader.Create(name, content.Length), content, cancellationToken);

    /// <summary>Writes a file whose header is there.</summary>
    public static Task WriteFileAsync(Stream to, byte[] header, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        WriteFileAsync(to, header, content.Length, () => to.WriteAsync(content, cancellationToken).AsTask(), cancellationToken);

    /// <summary>Writes a file whose content comes from somewhere.</summary>
    /// <param name="to">The archive.</param>
    /// <param name="header">Its header.</param>
    /// <param name="size">How many bytes it has.</param>
    /// <param name="write">Writes as many into the archive.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public static async Task WriteFileAsync(Stream to, byte[] header, long size, Func<Task> write, CancellationToken cancellationToken)
    {
        await to.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        await write().ConfigureAwait(false);
        await to.WriteAsync(new byte[OciTarTable.Padded(size) - size], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes what an archive ends with.</summary>
    public static ValueTask WriteEndAsync(Stream to, CancellationToken cancellationToken) => to.WriteAsync(new byte[2 * OciTarTable.BlockSize], cancellationToken);
}
