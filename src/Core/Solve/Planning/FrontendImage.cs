namespace BuildKit.Solve.Planning;

/// <summary>Which frontend reads the Dockerfile: the daemon's own, or an image that the daemon's gateway runs.</summary>
internal static class FrontendImage
{
    private const string SyntaxArgument = "BUILDKIT_SYNTAX";
    private const string Gateway = "gateway.v0";

    // What the daemons have built in.
    private static readonly string[] BuiltIn = ["dockerfile.v0", Gateway];

    /// <summary>Sets the frontend, its image and the words it was named by.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.FrontendNeedsSource</c>: the gateway was asked for without an image.</exception>
    public static void AddTo(SolvePlan plan, SolveRequest request)
    {
        var name = request.Frontend?.Trim();
        if (BuiltIn.Contains(name))
        {
            plan.Frontend = name!;
            if (name == Gateway && !request.FrontendOptions.ContainsKey("source"))
                throw new BuildKitException(
                    "BuildKit.FrontendNeedsSource", BuildKitErrorCategory.InvalidArgument, "The frontend gateway.v0 runs an image, and none was named.",
                    "Name the image itself with -Frontend, or with -FrontendOption @{ source = 'docker/dockerfile:1' }.");
            return;
        }
        // As with "# syntax=", what follows the image is for the frontend to read.
        if ((string.IsNullOrEmpty(name) ? request.BuildArgs.GetValueOrDefault(SyntaxArgument) : request.Frontend) is not { } line)
            return;
        plan.Frontend = Gateway;
        plan.FrontendAttributes["source"] = line.Trim().Split(' ', 2)[0];
        plan.FrontendAttributes["cmdline"] = line;
    }
}
