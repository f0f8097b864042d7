using System.Text;
using BuildKit.Solve.Exporters;
using BuildKit.Solve.Provenance;

namespace BuildKit.Solve;

/// <summary>The files that a request wants to have of its result: <see cref="SolveRequest.MetadataFile"/> and <see cref="SolveRequest.ImageIdFile"/>.</summary>
internal static class ResultFiles
{
    /// <summary>Refuses what can't be, and removes the id that an earlier build left: a build that fails must not leave that of another.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.ImageIdFileWithoutImage</c>, or a file can't be what it is to be.</exception>
    public static void Prepare(SolveRequest request, IReadOnlyList<PlannedExport> exports)
    {
        if (request.MetadataFile is not null)
            ResultFile.Demand(request.MetadataFile);
        if (request.ImageIdFile is null)
            return;
        if (exports.FirstOrDefault(export => export.Type is "local" or "tar") is { } files)
            throw new BuildKitException(
                "BuildKit.ImageIdFileWithoutImage", BuildKitErrorCategory.InvalidArgument, $"An output of the type {files.Type} gives no image, and so no id for -ImageIdFile.",
                "Leave out -ImageIdFile, or choose outputs that are images.")
            { Target = request.ImageIdFile };
        ResultFile.Demand(request.ImageIdFile);
        ResultFile.Remove(request.ImageIdFile);
    }

    /// <summary>Writes them.</summary>
    /// <returns>What the user should know, a sentence; null for nothing.</returns>
    /// <exception cref="BuildKitException">A file can't be written.</exception>
    public static string? Write(
        SolveRequest request, IReadOnlyList<PlannedExport> exports, IReadOnlyDictionary<string, string> response, string? buildRef,
        IReadOnlyList<ProvenancePredicate> provenance, IReadOnlyList<SolveVertexWarning> warnings, MetadataSettings settings)
    {
        // Where images go by their manifests, their configs' digests are no ids (docker/buildx build/build.go).
        if (exports.Any(export => export.Attributes.GetValueOrDefault("prefer-image-digest") == "true"))
            response = response.Where(member => member.Key != SolveResultReader.ConfigDigestKey).ToDictionary();
        if (request.MetadataFile is not null)
            ResultFile.Write(request.MetadataFile, MetadataFile.Format(response, buildRef, provenance, warnings, settings));
        if (request.ImageIdFile is null)
            return null;
        var id = response.GetValueOrDefault(SolveResultReader.ConfigDigestKey) ?? response.GetValueOrDefault(SolveResultReader.ImageDigestKey);
        if (string.IsNullOrEmpty(id))
            return $"The build gave no image: there is no id to write to '{request.ImageIdFile}'.";
        ResultFile.Write(request.ImageIdFile, Encoding.ASCII.GetBytes(id));
        return null;
    }
}
