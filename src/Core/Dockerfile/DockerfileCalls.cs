using BuildKit.Builders;
using BuildKit.Solve;

namespace BuildKit.Dockerfile;

/// <summary>
/// Asks the frontend about a Dockerfile without building it (<c>docker buildx build --call</c>). The request is that of the build: context, Dockerfile, arguments,
/// target and platforms count, its outputs and caches do not. Nothing is kept by the daemon, its history included.
/// </summary>
public static class DockerfileCalls
{
    /// <summary>Has the Dockerfile checked (<c>--call check</c>): all its stages, or the target with those that it needs.</summary>
    /// <param name="connection">The daemon, which looks up the configuration of base images.</param>
    /// <param name="request">The build.</param>
    /// <param name="warnings">Is told what the user should know beforehand, a sentence each; null where nobody listens.</param>
    /// <param name="cancellationToken">Stops the call on the daemon too.</param>
    /// <returns>The findings. That a Dockerfile can't be built is one of them, not an exception.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.CallNotSupported</c>, the request can't be right, its files can't be read, or the connection broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<DockerfileLint> LintAsync(
        BuildKitConnection connection, SolveRequest request, IProgress<string>? warnings, CancellationToken cancellationToken) =>
        FrontendCall.AskAsync(connection, request, FrontendRequest.Lint, CallJson.Default.LintJson, CallReader.Lint, warnings, cancellationToken);

    /// <summary>Lists the stages of the Dockerfile (<c>--call targets</c>).</summary>
    /// <param name="connection">The daemon.</param>
    /// <param name="request">The build; what it says beyond context and Dockerfile does not matter.</param>
    /// <param name="warnings">Is told what the user should know beforehand, a sentence each; null where nobody listens.</param>
    /// <param name="cancellationToken">Stops the call on the daemon too.</param>
    /// <returns>The stages, in the order of the Dockerfile.</returns>
    /// <exception cref="SolveFailedException">The Dockerfile does not parse: <c>BuildKit.DockerfileSyntax</c>.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.CallNotSupported</c>, the request can't be right, its files can't be read, or the connection broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<IReadOnlyList<DockerfileTarget>> GetTargetsAsync(
        BuildKitConnection connection, SolveRequest request, IProgress<string>? warnings, CancellationToken cancellationToken) =>
        FrontendCall.AskAsync(connection, request, FrontendRequest.Targets, CallJson.Default.TargetsJson, CallReader.Targets, warnings, cancellationToken);

    /// <summary>Lists what the target takes from outside: arguments, secrets, SSH agents (<c>--call outline</c>).</summary>
    /// <param name="connection">The daemon, which looks up the configuration of base images.</param>
    /// <param name="request">The build.</param>
    /// <param name="warnings">Is told what the user should know beforehand, a sentence each; null where nobody listens.</param>
    /// <param name="cancellationToken">Stops the call on the daemon too.</param>
    /// <returns>The outline of the target, or of the last stage.</returns>
    /// <exception cref="SolveFailedException">The Dockerfile can't be built: it does not parse, a base image or the target is missing.</exception>
    /// <exception cref="BuildKitException"><c>BuildKit.CallNotSupported</c>, the request can't be right, its files can't be read, or the connection broke.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<DockerfileOutline> GetOutlineAsync(
        BuildKitConnection connection, SolveRequest request, IProgress<string>? warnings, CancellationToken cancellationToken) =>
        FrontendCall.AskAsync(connection, request, FrontendRequest.Outline, CallJson.Default.OutlineJson, CallReader.Outline, warnings, cancellationToken);
}
