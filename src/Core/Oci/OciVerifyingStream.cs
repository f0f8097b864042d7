using System.Security.Cryptography;
using BuildKit.Files;

namespace BuildKit.Oci;

/// <summary>Reads a blob and checks size and digest on the way. The last bytes are given out only after they have been found right.</summary>
internal sealed class OciVerifyingStream(Stream inner, OciDescriptor blob, string location) : ReadOnlyStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(blob.Digest.HashAlgorithm);
    private readonly byte[] _beyond = new byte[1];
    private bool _verified;

    public override long Length => blob.Size;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_verified || buffer.IsEmpty)
            return 0;
        var wanted = (int)Math.Min(buffer.Length, blob.Size - BytesRead);
        var count = wanted == 0 ? 0 : await inner.ReadAsync(buffer[..wanted], cancellationToken).ConfigureAwait(false);
        Take(buffer.Span[..count], wanted);
        if (BytesRead == blob.Size)
            Finish(await inner.ReadAsync(_beyond, cancellationToken).ConfigureAwait(false));
        return count;
    }

    public override int Read(Span<byte> buffer)
    {
        if (_verified || buffer.IsEmpty)
            return 0;
        var wanted = (int)Math.Min(buffer.Length, blob.Size - BytesRead);
        var count = wanted == 0 ? 0 : inner.Read(buffer[..wanted]);
        Take(buffer[..count], wanted);
        if (BytesRead == blob.Size)
            Finish(inner.Read(_beyond));
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        _hash.Dispose();
        await inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            inner.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Take(ReadOnlySpan<byte> bytes, int wanted)
    {
        if (bytes.IsEmpty && wanted > 0)
            throw OciErrors.BlobInvalid(location, blob, $"it ends after {BytesRead} of {blob.Size} bytes");
        _hash.AppendData(bytes);
        BytesRead += bytes.Length;
    }

    private void Finish(int beyond)
    {
        if (beyond > 0)
            throw OciErrors.BlobInvalid(location, blob, $"it has more than {blob.Size} bytes");
        var digest = OciDigest.FromHash(blob.Digest.HashAlgorithm, _hash.GetHashAndReset());
        if (digest != blob.Digest)
            throw OciErrors.BlobInvalid(location, blob, $"its digest is {digest}");
        _verified = true;
    }
}
