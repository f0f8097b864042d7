using System.Text.Json.Serialization;

namespace BuildKit.Session.Auth;

/// <summary>A host's entry in <c>.token_seed</c>. Its text shows nothing of it.</summary>
internal sealed record TokenSeedEntry
{
    public byte[]? Seed { get; init; }

    public override string ToString() => nameof(TokenSeedEntry);
}

/// <summary>How the file is read, without reflection at run time. Go matches names whatever their case.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, GenerationMode = JsonSourceGenerationMode.Metadata, WriteIndented = true)]
[JsonSerializable(typeof(Dictionary<string, TokenSeedEntry>))]
internal sealed partial class TokenSeedJson : JsonSerializerContext;
