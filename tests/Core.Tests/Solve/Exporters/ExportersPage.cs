using System.Text;
using BuildKit.Solve.Exporters;

namespace BuildKit.Tests.Solve.Exporters;

/// <summary>Makes <c>docs/exporters.md</c> from the table.</summary>
internal static class ExportersPage
{
    private static readonly Dictionary<DaemonStore, string> Columns = new()
    {
        [DaemonStore.EngineGraphdriver] = "Engine, classic store",
        [DaemonStore.EngineContainerd] = "Engine, containerd store",
        [DaemonStore.Buildkitd] = "buildkitd",
        [DaemonStore.ContainerBuilder] = "container builder",
    };

    public static string Write()
    {
        var page = new StringBuilder();
        page.Append($"""
            # Outputs

            What `-Output` of `Invoke-BuildKitSolve` can be, on which daemon, and what goes over the wire. `Get-BuildKitExporter` shows the same for the daemon at hand;
            with `-Probe` it has the daemon prove it.

            This page is made from the module's exporter table, by which builds are translated too, and each cell is tested on real daemons (`ExporterCellTests`).
            To change it, change the table and run `{ExportersPageTests.WriteVariable}=1 dotnet test tests/Core.Tests --filter ExportersPage`.

            ## Which output on which daemon

            A cell is the exporter's name on the wire. **L**: the image appears among Docker's. **P**: it can be pushed in the same go. **1**: one image only, neither
            several platforms nor attestations. A number in brackets is a note below.


            """);
        Matrix(page);
        page.Append("""

            A container builder is a buildkitd in a container of an Engine (`docker buildx create`). Without any `-Output` an Engine gets `type=image`, and a builder keeps its cache alone.

            - `-Push` sets `push=true` on every output that can be pushed, and adds `type=image` where there is none.
            - `-Load` adds `type=docker` where no output's image appears among Docker's yet.
            - `tar=false` makes the destination of `oci` and `docker` a layout directory; a build can write one.
            - `type=moby`, which an Engine calls its own store, is understood as `type=image` everywhere.
            - An attribute that is not listed here is passed on with a warning. Truth is written as Go reads it: `true`, `1`, `t`, `false`, `0`, `f`.
            - A Docker Engine has a BuildKit inside: 20.10 has 0.8, 23 has 0.10, 24 has 0.11, 25 has 0.12, 26 has 0.13, 28.0 has 0.20, 28.5 has 0.25, 29.1 has 0.26.
            - Several outputs of one build need BuildKit 0.13 or Docker Engine 26.

            What is added to an output, unless it says otherwise:


            """);
        Added(page);
        foreach (var types in ExporterTable.Types.GroupBy(type => string.Join(',', Attributes(type).Select(attribute => attribute.Name))))
            Section(page, types.ToList());
        return page.ToString().ReplaceLineEndings("\n");
    }

    private static void Matrix(StringBuilder page)
    {
        var notes = new List<string>();
        Row(page, ["output", .. ExporterTable.Daemons.Select(daemon => Columns[daemon]), "gives"]);
        Row(page, Enumerable.Repeat("---", ExporterTable.Daemons.Count + 2));
        foreach (var way in Ways())
            Row(page, [$"`{ExporterExamples.Find(way.First()).Output}`", .. ExporterTable.Daemons.Select(daemon => Cell(way.FirstOrDefault(row => row.Daemon == daemon), notes)), Gives(way)]);
        page.AppendLine();
        for (var note = 0; note < notes.Count; note++)
            page.AppendLine($"{(note == 0 ? "" : "\n")}[{note + 1}] {notes[note]}");
    }

    private static string Cell(ExporterRow? row, List<string> notes)
    {
        if (row is null)
            return "";
        if (!row.Supported)
        {
            var note = $"No: {row.Reason}. {row.WayOut}";
            if (!notes.Contains(note))
                notes.Add(note);
            return $"no [{notes.IndexOf(note) + 1}]";
        }
        List<string> marks = [row.WireName is null ? "yes" : $"`{row.WireName}`"];
        if (row.LoadsIntoEngine)
            marks.Add("**L**");
        if (row.Push != ExporterPush.None)
            marks.Add("**P**");
        if (row.HoldsOneImage || row.Format == ExporterFormat.ClassicStore)
            marks.Add("**1**");
        if (row.Push == ExporterPush.ByEngine)
        {
            const string Note = "Pushed by the Engine's own API after the build: its exporter for the classic store can't.";
            if (!notes.Contains(Note))
                notes.Add(Note);
            marks.Add($"[{notes.IndexOf(Note) + 1}]");
        }
        return string.Join(' ', marks);
    }

    // An Engine's store and an Engine beside the builder are one way to the user: the same words.
    private static IEnumerable<IGrouping<(string Type, string Output), ExporterRow>> Ways() => ExporterTable.Types
        .SelectMany(type => ExporterTable.Daemons.SelectMany(daemon => ExporterTable.Find(type, daemon)))
        .GroupBy(row => (row.Type, ExporterExamples.Find(row).Output));

    private static string Gives(IEnumerable<ExporterRow> way) => string.Join("; or ", way.Select(row => ExporterExamples.Find(row).Description).Distinct());

    private static void Added(StringBuilder page)
    {
        Row(page, ["output", "daemon", "attributes"]);
        Row(page, ["---", "---", "---"]);
        foreach (var group in ExporterTable.Rows
            .Select(row => (row, Text: Attributes(row)))
            .Where(pair => pair.Text.Length > 0)
            .GroupBy(pair => (pair.Text, pair.row.Type)))
        {
            Row(page, [$"`{group.Key.Type}`", string.Join(", ", group.Select(pair => Columns[pair.row.Daemon]).Distinct()), $"`{group.Key.Text}`"]);
        }

        static string Attributes(ExporterRow row) =>
            string.Join(',', row.Attributes.Select(pair => $"{pair.Key}={pair.Value}").Concat(row.AlwaysPushes ? ["push=true"] : []).Order(StringComparer.Ordinal));
    }

    private static void Section(StringBuilder page, List<string> types)
    {
        page.Append($"\n## {string.Join(", ", types)}\n\n```powershell\n");
        foreach (var call in types.SelectMany(Rows).Select(row => ExporterExamples.Find(row).Call).Distinct())
            page.AppendLine(call);
        page.Append("```\n");
        var attributes = Attributes(types[0]).ToList();
        if (attributes.Count == 0)
            return;
        page.AppendLine();
        Row(page, ["attribute", "value", "default", "since BuildKit", "where", "meaning"]);
        Row(page, Enumerable.Repeat("---", 6));
        foreach (var attribute in attributes)
        {
            Row(page,
            [
                $"`{attribute.Name}`", attribute.Values.Count > 0 ? string.Join(", ", attribute.Values) : attribute.Type.ToString().ToLowerInvariant(), attribute.Default ?? "",
                attribute.Since ?? "", Where(types[0], attribute), attribute.Description,
            ]);
        }
    }

    private static IEnumerable<ExporterRow> Rows(string type) => ExporterTable.Rows.Where(row => row.Type == type);

    private static IEnumerable<ExporterAttribute> Attributes(string type) =>
        ExporterAttributeTable.Of(Rows(type).Aggregate(ExporterFormat.None, (formats, row) => formats | row.Format));

    private static string Where(string type, ExporterAttribute attribute)
    {
        var can = Rows(type).Where(row => row.Supported).Select(row => row.Daemon).ToHashSet();
        var has = ExporterTable.Daemons.Where(daemon => Rows(type).Any(row => row.Daemon == daemon && (row.Format & attribute.Formats) != 0)).ToList();
        var hasNot = can.Except(has).ToList();
        return hasNot switch
        {
            [] => "all",
            [var only] => $"not {Columns[only]}",
            _ => string.Join("; ", has.Select(daemon => Columns[daemon])),
        };
    }

    private static void Row(StringBuilder page, IEnumerable<string> cells) => page.AppendLine($"| {string.Join(" | ", cells)} |");
}
