using System.Collections;
using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Solve;

namespace BuildKit.Module.Commands;

/// <summary>A cmdlet that asks the frontend about a Dockerfile.</summary>
public abstract class DockerfileCommandBase : BuilderCommandBase
{
    /// <summary>The build context: a folder, a git or http URL that the daemon fetches, or a Dockerfile, whose folder is then the context.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("FullName", "PSPath")]
    [ValidateNotNullOrEmpty]
    public string Context { get; set; } = ".";

    /// <summary>The Dockerfile: a path, which may lie outside the context, or its text.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("File")]
    [ValidateNotNullOrEmpty]
    public string? Dockerfile { get; set; }

    /// <summary>Values of <c>ARG</c>s. One that is null is taken from the environment.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public IDictionary BuildArg { get; set; } = new Hashtable();

    /// <inheritdoc/>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Connection")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <summary>Asks the frontend. An error is written as a record.</summary>
    /// <typeparam name="T">What the frontend answers.</typeparam>
    /// <param name="call">Asks, off the pipeline's thread.</param>
    /// <param name="onAnswer">Takes the answer on the pipeline's thread.</param>
    private protected void Ask<T>(Func<BuildKitConnection, SolveRequest, IProgress<string>, CancellationToken, Task<T>> call, Action<T> onAnswer)
    {
        Report(
            Context,
            () =>
            {
                var request = ToRequest();
                return Run(async (pump, cancellationToken) =>
                {
                    var connection = await ConnectAsync(pump, cancellationToken).ConfigureAwait(false);
                    return await call(connection, request, new PostedProgress<string>(pump, WriteWarning), cancellationToken).ConfigureAwait(false);
                });
            },
            onAnswer);
    }

    /// <summary>The build that is asked about.</summary>
    /// <returns>A request without outputs.</returns>
    private protected virtual SolveRequest ToRequest()
    {
        // A file's object, from Get-ChildItem, binds its path as the context.
        var file = Dockerfile is null ? FileIn(Context) : null;
        var context = file is null ? LocationOf(Context) : Path.GetDirectoryName(file)!;
        var dockerfile = file is null ? DockerfileArgument.Read(SessionState, Dockerfile, context) : new DockerfileArgument(file, null);
        return new SolveRequest
        {
            Context = context,
            Dockerfile = dockerfile.Path,
            DockerfileText = dockerfile.Text,
            BuildArgs = StringTable.ReadBuildArgs(BuildArg),
        };
    }

    private string? FileIn(string context)
    {
        if (ContextArgument.IsRemote(SessionState, context))
            return null;
        var path = FileSystemPath.Resolve(SessionState, context);
        return File.Exists(path) && !ContextArgument.IsArchive(path) ? path : null;
    }

    private string LocationOf(string text)
    {
        using var context = ContextArgument.Read(SessionState, text);
        return context.Location ?? throw new BuildKitException(
            "BuildKit.InvalidContext", BuildKitErrorCategory.InvalidArgument, $"The context '{text}' is an archive; a Dockerfile is asked about in a folder, or at a git or http URL.",
            "Unpack it and give the folder, or give the Dockerfile alone.")
        { Target = text };
    }
}
