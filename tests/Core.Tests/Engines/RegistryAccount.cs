using System.Text;

namespace BuildKit.Tests.Engines;

/// <summary>The accounts of the registries that want credentials (<c>tests/engines/engines</c>, <c>token-server</c>). The passwords occur nowhere else, so that a leak is found.</summary>
public sealed record RegistryAccount(string User, string Password)
{
    /// <summary>In place of user and password, for a writer to get tokens with.</summary>
    public const string IdentityToken = "1dentity-Geheim-Token";

    /// <summary>May push everywhere.</summary>
    public static RegistryAccount Writer { get; } = new("writer", "wr1ter-Geheim-Passw0rd");

    /// <summary>May pull everywhere, and push where there are no tokens.</summary>
    public static RegistryAccount Reader { get; } = new("reader", "re4der-Geheim-Passw0rd");

    /// <summary>Is refused everywhere.</summary>
    public static RegistryAccount Wrong { get; } = new("writer", "wr0ng-Geheim-Passw0rd");

    /// <summary>What is not to be seen anywhere: passwords, as they are and as basic authentication sends them, and how every token of the token server begins.</summary>
    public static IReadOnlyList<string> Secrets { get; } =
    [
        Writer.Password, Reader.Password, Wrong.Password, IdentityToken,
        Writer.Base64, Reader.Base64, Wrong.Base64, "eyJhbGciOiJSUzI1NiIs",
    ];

    /// <summary><c>auth</c> of the docker config, and what basic authentication sends.</summary>
    public string Base64 => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
}
