using System.Text;
using System.Text.Json.Nodes;
using BuildKit.Oci;
using BuildKit.Oci.Editing;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace BuildKit.Tests.Oci;

/// <summary>What holds for every index.</summary>
public sealed class OciPropertyTests : IDisposable
{
    private readonly TestLayout _layout = new();

    public void Dispose() => _layout.Dispose();

    // Few digests and names, so that they meet; field names and values that nobody knows.
    private static Gen<string> Digests => Gen.Choose(1, 4).Select(i => $"sha256:{new string((char)('a' + i), 64)}");

    private static Gen<string> Text => Gen.Elements("", "x", "ä€😀", "\"\\/\b\n\u0001", "<&+>", "1e5");

    private static Gen<JsonNode?> Value => Gen.OneOf(
        Text.Select(text => (JsonNode?)JsonValue.Create(text)), Gen.Choose(-9, 9).Select(number => (JsonNode?)JsonValue.Create(number)), Gen.Constant<JsonNode?>(null),
        Text.Two().Select(pair => (JsonNode?)new JsonArray(pair.Item1, new JsonObject { ["k"] = pair.Item2 })));

    private static Gen<JsonObject> Unknown => Value.Three().Select(values => new JsonObject { ["zeta"] = values.Item1, ["alpha"] = values.Item2, ["Größe"] = values.Item3 });

    private static Gen<JsonObject> Entry =>
        from digest in Digests
        from size in Gen.Choose(0, 1)
        from name in Gen.Elements(null, "docker.io/library/a:1", "docker.io/library/a:2", "r.example.com/b:1")
        from tag in Gen.Elements(null, "1", "2")
        from note in Text
        from unknown in Unknown
        from unknownFirst in Gen.Elements(true, false)
        select Build(digest, size, name, tag, note, unknown, unknownFirst);

    private static Gen<JsonObject> Index =>
        from entries in Entry.NonEmptyListOf()
        from unknown in Unknown
        from unknownFirst in Gen.Elements(true, false)
        select Join(unknownFirst, unknown, new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray([.. entries.Select(entry => (JsonNode)entry)]), ["annotations"] = new JsonObject { ["n"] = "v" } });

    private static JsonObject Build(string digest, int size, string? name, string? tag, string note, JsonObject unknown, bool unknownFirst)
    {
        var annotations = new JsonObject { ["note"] = note };
        if (name is not null)
            annotations[OciDescriptor.ImageNameAnnotation] = name;
        if (tag is not null)
            annotations[OciDescriptor.RefNameAnnotation] = tag;
        return Join(unknownFirst, unknown, new JsonObject { ["size"] = size, ["digest"] = digest, ["mediaType"] = OciMediaType.Manifest, ["annotations"] = annotations });
    }

    private static JsonObject Join(bool unknownFirst, JsonObject unknown, JsonObject known)
    {
        var result = new JsonObject();
        foreach (var part in unknownFirst ? [unknown, known] : new[] { known, unknown })
            foreach (var (key, value) in part)
                result[key] = value?.DeepClone();
        return result;
    }

    private static void Check(Func<JsonObject, bool> property) => Prop.ForAll(Index.ToArbitrary(), property).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_read_and_written_is_the_same_to_the_byte()
    {
        Check(json =>
        {
            var text = json.ToJsonString();
            return Encoding.UTF8.GetString(OciIndex.Parse(Encoding.UTF8.GetBytes(text)).ToBytes()) == text;
        });
    }

    [Fact]
    public void What_is_not_known_survives_a_change()
    {
        Check(json =>
        {
            var index = OciIndex.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()));
            index.Replace(index.Manifests.Select(manifest => manifest.WithAnnotations([new("added", "a")])).ToList());
            var changed = JsonNode.Parse(index.ToBytes())!.AsObject();
            foreach (var entry in changed["manifests"]!.AsArray())
                entry!["annotations"]!.AsObject().Remove("added");
            return JsonNode.DeepEquals(json, changed) && Keys(json).SequenceEqual(Keys(changed))
                && Unknowns(json["manifests"]![0]!).SequenceEqual(Unknowns(changed["manifests"]![0]!));
        });

        static IEnumerable<string> Keys(JsonNode node) => node.AsObject().Select(pair => pair.Key);
        static IEnumerable<string> Unknowns(JsonNode node) => Keys(node).Where(key => key is "zeta" or "alpha" or "Größe");
    }

    [Fact]
    public void A_repair_is_refused_or_done_once_and_loses_no_image_that_a_kept_name_leads_to()
    {
        Check(json =>
        {
            File.WriteAllText(_layout.IndexPath, json.ToJsonString());
            var before = OciIndex.Parse(File.ReadAllBytes(_layout.IndexPath));
            OciIndexRepairResult result;
            try
            {
                result = Repair(new());
            }
            catch (OciImagesDifferException e)
            {
                // Each choice can be taken by its digest, unless that has two sizes.
                Assert.Equal(before.Manifests.Select(manifest => (manifest.Digest, manifest.Size)).Distinct().Count(), e.Choices.Count);
                Assert.Equal(before.ToBytes(), File.ReadAllBytes(_layout.IndexPath));
                var choice = e.Choices.FirstOrDefault(choice => e.Choices.Count(other => other.Digest == choice.Digest) == 1);
                if (choice is null)
                    return true;
                result = Repair(new() { Reference = choice.Digest });
                Assert.Equal(choice.Digest, result.Digest);
            }
            var after = File.ReadAllBytes(_layout.IndexPath);
            var entry = Assert.Single(OciIndex.Parse(after).Manifests);
            foreach (var name in OciIndexEntry.OtherNamesOf(entry).Append(entry.Name).OfType<string>())
                Assert.Contains(before.Manifests, manifest => manifest.Name == name && manifest.Digest == entry.Digest);
            // Names of the image are all kept.
            Assert.Equal(
                before.Manifests.Where(manifest => manifest.Digest == entry.Digest && manifest.Size == entry.Size).Select(manifest => manifest.Name).OfType<string>().Distinct().Order(),
                OciIndexEntry.OtherNamesOf(entry).Append(entry.Name).OfType<string>().Distinct().Order());
            Assert.False(Repair(new()).Changed);
            return after.AsSpan().SequenceEqual(File.ReadAllBytes(_layout.IndexPath));
        });

        OciIndexRepairResult Repair(OciIndexRepairOptions options) => new OciIndexRepair(_layout.IndexPath, options).RunAsync(default).GetAwaiter().GetResult();
    }
}
