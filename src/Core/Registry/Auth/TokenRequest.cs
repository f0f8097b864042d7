namespace BuildKit.Registry.Auth;

/// <summary>What a token is wanted for (distribution's spec/auth/token).</summary>
/// <param name="Host">The registry, as errors name it.</param>
/// <param name="Realm">The token server's URL.</param>
/// <param name="Service">The registry's own name at the token server; may be empty.</param>
/// <param name="Scopes">What the token is to allow, such as <c>repository:app:pull</c>.</param>
internal sealed record TokenRequest(string Host, string Realm, string Service, IReadOnlyList<string> Scopes);
