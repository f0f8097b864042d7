using System.Security.Cryptography;
using BuildKit.Docker;
using BuildKit.Grpc;
using BuildKit.Protocol.Auth;
using BuildKit.Registry.Auth;
using Google.Protobuf;

namespace BuildKit.Session.Auth;

/// <summary>
/// <c>moby.filesync.v1.Auth</c>: how the daemon gets at registries (buildkit session/auth/authprovider). For a registry with bearer tokens it asks for a token authority, a key that
/// proves which sessions hold the same credentials, and then for tokens, so that the password stays on this side; for one with basic authentication it asks for the credentials.
/// </summary>
internal sealed class AuthService : IDisposable
{
    private const string ServiceName = "moby.filesync.v1.Auth";

    private static readonly Method<CredentialsRequest, CredentialsResponse> CredentialsMethod =
        Method.Protobuf<CredentialsRequest, CredentialsResponse>(MethodType.Unary, ServiceName, "Credentials");

    private static readonly Method<FetchTokenRequest, FetchTokenResponse> FetchTokenMethod =
        Method.Protobuf<FetchTokenRequest, FetchTokenResponse>(MethodType.Unary, ServiceName, "FetchToken");

    private static readonly Method<GetTokenAuthorityRequest, GetTokenAuthorityResponse> GetTokenAuthorityMethod =
        Method.Protobuf<GetTokenAuthorityRequest, GetTokenAuthorityResponse>(MethodType.Unary, ServiceName, "GetTokenAuthority");

    private static readonly Method<VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse> VerifyTokenAuthorityMethod =
        Method.Protobuf<VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse>(MethodType.Unary, ServiceName, "VerifyTokenAuthority");

    private readonly CredentialStore _credentials;
    private readonly TokenSeeds _seeds;
    private readonly TokenClient _tokens;
    private readonly Func<string, string?> _getEnvironmentVariable;
    private BuildKitException? _failure;

    /// <param name="credentials">Where the credentials are; the caller keeps and disposes it.</param>
    public AuthService(CredentialStore credentials)
        : this(credentials, TokenClient.Default, Environment.GetEnvironmentVariable)
    {
    }

    internal AuthService(CredentialStore credentials, TokenClient tokens, Func<string, string?> getEnvironmentVariable)
    {
        _credentials = credentials;
        _seeds = new TokenSeeds(credentials.Directory);
        _tokens = tokens;
        _getEnvironmentVariable = getEnvironmentVariable;
        Definition = new ServerServiceDefinition()
            .AddMethod(CredentialsMethod, Guard<CredentialsRequest, CredentialsResponse>(CredentialsAsync))
            .AddMethod(FetchTokenMethod, Guard<FetchTokenRequest, FetchTokenResponse>(FetchTokenAsync))
            .AddMethod(GetTokenAuthorityMethod, Guard<GetTokenAuthorityRequest, GetTokenAuthorityResponse>(GetTokenAuthorityAsync))
            .AddMethod(VerifyTokenAuthorityMethod, Guard<VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse>(VerifyTokenAuthorityAsync));
    }

    public ServerServiceDefinition Definition { get; }

    /// <summary>
    /// What failed first on this side, or null. It need not have mattered: the daemon may have gone on without, to a mirror or without a remote cache. Where the solve failed with
    /// these words in its message, this is the error to show.
    /// </summary>
    public BuildKitException? Failure => Volatile.Read(ref _failure);

    public void Dispose() => _seeds.Dispose();

    private async Task<CredentialsResponse> CredentialsAsync(CredentialsRequest request, CancellationToken cancellationToken)
    {
        var (username, secret) = (await _credentials.GetAsync(request.Host, cancellationToken).ConfigureAwait(false)).ToPair();
        return new CredentialsResponse { Username = username, Secret = secret };
    }

    private async Task<FetchTokenResponse> FetchTokenAsync(FetchTokenRequest request, CancellationToken cancellationToken)
    {
        var auth = await _credentials.GetAsync(request.Host, cancellationToken).ConfigureAwait(false);
        if (!string.IsNullOrEmpty(auth.RegistryToken))
            return ToResponse(AccessToken.Create(auth.RegistryToken, null, 0));
        var (username, secret) = auth.ToPair();
        var asked = new TokenRequest(request.Host, request.Realm, request.Service, request.Scopes);
        return ToResponse(await _tokens.FetchAsync(asked, username, secret, cancellationToken).ConfigureAwait(false));
    }

    private async Task<GetTokenAuthorityResponse> GetTokenAuthorityAsync(GetTokenAuthorityRequest request, CancellationToken cancellationToken)
    {
        var seed = await GetAuthorityAsync(request.Host, request.Salt, cancellationToken).ConfigureAwait(false);
        return new GetTokenAuthorityResponse { PublicKey = UnsafeByteOperations.UnsafeWrap(Ed25519.PublicKey(seed)) };
    }

    // NaCl's sign puts the signature before the message.
    private async Task<VerifyTokenAuthorityResponse> VerifyTokenAuthorityAsync(VerifyTokenAuthorityRequest request, CancellationToken cancellationToken)
    {
        var seed = await GetAuthorityAsync(request.Host, request.Salt, cancellationToken).ConfigureAwait(false);
        byte[] signed = [.. Ed25519.Sign(seed, request.Payload.Span), .. request.Payload.Span];
        return new VerifyTokenAuthorityResponse { Signed = UnsafeByteOperations.UnsafeWrap(signed) };
    }

    // The daemon's salt changes with every start of it; without credentials all sessions have the same authority.
    private async Task<byte[]> GetAuthorityAsync(string host, ByteString salt, CancellationToken cancellationToken)
    {
        // The daemon asks for the credentials instead then.
        if (GoBoolean.Parse(_getEnvironmentVariable("BUILDKIT_NO_CLIENT_TOKEN")) == true)
            throw new RpcException(new Status(StatusCode.Unavailable, "client side tokens disabled"));
        var (_, secret) = (await _credentials.GetAsync(host, cancellationToken).ConfigureAwait(false)).ToPair();
        var seed = await _seeds.GetAsync(host, cancellationToken).ConfigureAwait(false);
        return HMACSHA256.HashData(salt.Span, secret.Length > 0 ? seed : []);
    }

    private static FetchTokenResponse ToResponse(AccessToken token) => new()
    {
        Token = token.Token,
        ExpiresIn = token.ExpiresIn,
        IssuedAt = token.IssuedAt?.ToUnixTimeSeconds() ?? 0,
    };

    private UnaryServerMethod<TRequest, TResponse> Guard<TRequest, TResponse>(Func<TRequest, CancellationToken, Task<TResponse>> handler) => async (request, context) =>
    {
        try
        {
            return await handler(request, context.CancellationToken).ConfigureAwait(false);
        }
        catch (BuildKitException e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
            throw new RpcException(new Status(StatusCode.Unknown, e.Message), innerException: e);
        }
    };
}
