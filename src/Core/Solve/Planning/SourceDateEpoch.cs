using System.Globalization;

namespace BuildKit.Solve.Planning;

/// <summary>The time that stands for the time of the build, a build argument on the wire (reproducible-builds.org, docker/buildx commands/build.go).</summary>
internal static class SourceDateEpoch
{
    public const string Name = "SOURCE_DATE_EPOCH";

    /// <summary>Takes the request's time, else the build argument, else the variable.</summary>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidSourceDateEpoch</c>.</exception>
    public static void AddTo(IDictionary<string, string> buildArgs, SolveRequest request, SolveDaemon daemon)
    {
        if (request.SourceDateEpoch is not null)
            buildArgs[Name] = request.SourceDateEpoch;
        else if (!buildArgs.ContainsKey(Name) && daemon.Variable(Name) is { Length: > 0 } variable)
            buildArgs[Name] = variable;
        // Empty switches it off; "context" is for frontends newer than BuildKit 0.25.
        if (buildArgs.TryGetValue(Name, out var value) && value is not ("" or "context")
            && !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            throw new BuildKitException(
                "BuildKit.InvalidSourceDateEpoch", BuildKitErrorCategory.InvalidArgument, $"'{value}' is not a number of seconds since 1970.",
                "Give whole seconds or a date: -SourceDateEpoch 1700000000 or -SourceDateEpoch 2024-05-01. The variable SOURCE_DATE_EPOCH takes seconds alone.")
            { Target = value };
    }
}
