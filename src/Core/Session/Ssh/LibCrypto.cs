using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BuildKit.Session.Ssh;

/// <summary>
/// The few functions of OpenSSL's libcrypto that sign with Ed25519, which .NET does not have (docs/decisions/0005-ssh-keys.md). It is found by names that
/// belong to OpenSSL 1.1.1 or newer; .NET on Linux itself works with it.
/// </summary>
internal sealed unsafe class LibCrypto
{
    // NID_ED25519 and the length of a signature.
    private const int Ed25519Type = 1087;
    private const int SignatureSize = 64;

    // On macOS by path alone: what answers to the bare name there is Apple's, which ends the process. On Windows nothing belongs to the system.
    private static readonly string[] LinuxNames = ["libcrypto.so.3", "libcrypto.so.1.1"];
    private static readonly string[] MacNames = ["/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib", "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib"];

    private static readonly Lazy<LibCrypto?> Shared = new(static () => Load(OperatingSystem.IsLinux() ? LinuxNames : OperatingSystem.IsMacOS() ? MacNames : []));

    private readonly delegate* unmanaged<int, nint, byte*, nuint, nint> _newPrivateKey;
    private readonly delegate* unmanaged<nint, byte*, nuint*, int> _getPublicKey;
    private readonly delegate* unmanaged<nint> _newContext;
    private readonly delegate* unmanaged<nint, void> _freeContext;
    private readonly delegate* unmanaged<nint, nint, nint, nint, nint, int> _startSignature;
    private readonly delegate* unmanaged<nint, byte*, nuint*, byte*, nuint, int> _sign;

    private LibCrypto(nint library)
    {
        _newPrivateKey = (delegate* unmanaged<int, nint, byte*, nuint, nint>)NativeLibrary.GetExport(library, "EVP_PKEY_new_raw_private_key");
        _getPublicKey = (delegate* unmanaged<nint, byte*, nuint*, int>)NativeLibrary.GetExport(library, "EVP_PKEY_get_raw_public_key");
        _newContext = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "EVP_MD_CTX_new");
        _freeContext = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "EVP_MD_CTX_free");
        _startSignature = (delegate* unmanaged<nint, nint, nint, nint, nint, int>)NativeLibrary.GetExport(library, "EVP_DigestSignInit");
        _sign = (delegate* unmanaged<nint, byte*, nuint*, byte*, nuint, int>)NativeLibrary.GetExport(library, "EVP_DigestSign");
        FreeKey = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "EVP_PKEY_free");
    }

    /// <summary>This machine's library; null where there is none that will do.</summary>
    public static LibCrypto? Instance => Shared.Value;

    internal delegate* unmanaged<nint, void> FreeKey { get; }

    /// <summary>Loads the first library that is there and has what is needed.</summary>
    internal static LibCrypto? Load(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, out var library))
                continue;
            try
            {
                return new LibCrypto(library);
            }
            catch (EntryPointNotFoundException)
            {
                // OpenSSL 1.1.0 has no raw keys.
                NativeLibrary.Free(library);
            }
        }
        return null;
    }

    /// <summary>Gives libcrypto a private key.</summary>
    /// <exception cref="CryptographicException">It refuses, for example because FIPS allows no such keys.</exception>
    public LibCryptoKey ImportEd25519(ReadOnlySpan<byte> seed)
    {
        fixed (byte* bytes = seed)
        {
            var key = _newPrivateKey(Ed25519Type, 0, bytes, (nuint)seed.Length);
            return key != 0 ? new LibCryptoKey(this, key) : throw Refused();
        }
    }

    /// <summary>The public half.</summary>
    public byte[] Ed25519PublicKey(LibCryptoKey key)
    {
        var publicKey = new byte[Ed25519PrivateKey.KeySize];
        var length = (nuint)publicKey.Length;
        fixed (byte* bytes = publicKey)
        {
            if (_getPublicKey(key.DangerousGetHandle(), bytes, &length) != 1)
                throw Refused();
        }
        return publicKey;
    }

    /// <summary>Signs (RFC 8032's pure Ed25519).</summary>
    /// <exception cref="CryptographicException">It refuses.</exception>
    public byte[] SignEd25519(LibCryptoKey key, ReadOnlySpan<byte> data)
    {
        var signature = new byte[SignatureSize];
        var length = (nuint)signature.Length;
        var held = false;
        var context = _newContext();
        try
        {
            key.DangerousAddRef(ref held);
            fixed (byte* to = signature, from = data)
            {
                if (context == 0
                    || _startSignature(context, 0, 0, 0, key.DangerousGetHandle()) != 1
                    || _sign(context, to, &length, from, (nuint)data.Length) != 1)
                    throw Refused();
            }
            return signature;
        }
        finally
        {
            if (held)
                key.DangerousRelease();
            _freeContext(context);
        }
    }

    private static CryptographicException Refused() => new("libcrypto refused an Ed25519 key.");
}

/// <summary>A key that libcrypto holds; it overwrites it when it is freed.</summary>
internal sealed unsafe class LibCryptoKey : SafeHandle
{
    private readonly LibCrypto _library;

    public LibCryptoKey(LibCrypto library, nint key)
        : base(0, ownsHandle: true)
    {
        _library = library;
        SetHandle(key);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        _library.FreeKey(handle);
        return true;
    }
}
