using System.Security.Cryptography;

namespace BuildKit.Builders.Store;

/// <summary>Names for builders that were given none.</summary>
internal static class RandomName
{
    private static readonly string[] Manners =
    [
        "amber", "brisk", "calm", "clever", "copper", "crisp", "eager", "fleet", "gentle", "golden", "hardy", "hidden", "jolly", "keen", "lively", "lucky", "mellow", "nimble",
        "patient", "plucky", "quick", "quiet", "rapid", "royal", "silver", "sober", "steady", "sturdy", "sunny", "swift", "tidy", "vivid", "warm", "wise", "witty", "zesty",
    ];

    private static readonly string[] Things =
    [
        "anvil", "arch", "beacon", "bridge", "castle", "chisel", "crane", "derrick", "dome", "dynamo", "engine", "forge", "foundry", "furnace", "gantry", "girder", "hammer", "harbor",
        "kiln", "lathe", "lever", "loom", "mason", "mill", "mortar", "pillar", "plumb", "pulley", "quarry", "rivet", "sawmill", "scaffold", "spindle", "tower", "trowel", "vault",
    ];

    /// <summary>A name that is not taken.</summary>
    /// <param name="isTaken">Tells the names that are.</param>
    public static string Create(Func<string, bool> isTaken)
    {
        for (var digits = ""; ; digits = RandomNumberGenerator.GetHexString(4, lowercase: true))
        {
            var name = $"{Pick(Manners)}_{Pick(Things)}{digits}";
            if (!isTaken(name))
                return name;
        }
    }

    private static string Pick(string[] words) => words[RandomNumberGenerator.GetInt32(words.Length)];
}
