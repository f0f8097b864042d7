using System.Diagnostics;
using System.Runtime.CompilerServices;
using BuildKit.Builders;
using BuildKit.Grpc;

namespace BuildKit.Diagnosis;

/// <summary>
/// Looks at a builder and at what this side brings for it, and says what is wrong and what to do. It always answers: a daemon that can't be reached is a failed check, and what
/// could not be checked for it is skipped. Nothing is started, stopped or changed; the trial build leaves two files of some bytes in the build cache.
/// </summary>
public static class BuildKitDoctor
{
    // The check's own deadline comes first, and has better words.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>The names of all checks, in their order.</summary>
    public static IReadOnlyList<string> CheckNames { get; } = DoctorTable.Rows.Select(row => row.Name).ToList();

    /// <summary>Does the checks one after the other.</summary>
    /// <param name="request">What to look at.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The checks as they are done; those of a builder with several nodes once a node.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async IAsyncEnumerable<BuildKitCheck> RunAsync(BuildKitDoctorRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rows = DoctorTable.Select(request.Includes);
        await using var client = new Subject(request);
        await foreach (var check in RunAsync(rows, DoctorScope.Client, client, cancellationToken).ConfigureAwait(false))
            yield return check;

        foreach (var registry in Checks.RegistryCheck.Expand(request.Registries, client.Config))
        {
            await using var subject = client.ForRegistry(registry);
            await foreach (var check in RunAsync(rows, DoctorScope.Registry, subject, cancellationToken).ConfigureAwait(false))
                yield return check;
        }

        // Without a builder its checks are told once, as skipped.
        IReadOnlyList<BuilderTargetNode?>? nodes = client.Target?.Nodes;
        foreach (var node in nodes ?? [null])
        {
            await using var subject = client.ForNode(node);
            await foreach (var check in RunAsync(rows, DoctorScope.Node, subject, cancellationToken).ConfigureAwait(false))
                yield return check;
        }
    }

    private static async IAsyncEnumerable<BuildKitCheck> RunAsync(
        IReadOnlyList<DoctorCheck> rows, DoctorScope scope, Subject subject, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var row in rows.Where(row => row.Scope == scope))
        {
            var watch = Stopwatch.StartNew();
            var obstacle = row.Needs.Select(need => subject.Findings[need].Obstacle).FirstOrDefault(reason => reason is not null);
            var finding = obstacle is null ? await RunAsync(row, subject, cancellationToken).ConfigureAwait(false) : Finding.Blocked(obstacle);
            subject.Findings[row.Name] = finding.Status == BuildKitCheckStatus.Fail ? finding with { Obstacle = finding.Obstacle ?? $"{row.Name} has failed." } : finding;
            // Where a check that was not asked for fails, those that were are skipped for it: both are told.
            if (finding.Status != BuildKitCheckStatus.Fail && subject.Request.Includes?.Invoke(row.Name) is false)
                continue;
            yield return new BuildKitCheck
            {
                Name = row.Name,
                Status = finding.Status,
                Detail = finding.Detail,
                Recommendation = finding.Recommendation,
                ErrorId = finding.ErrorId,
                Builder = scope == DoctorScope.Node ? subject.Target?.Name : null,
                Node = subject.Node?.Node?.Name,
                Target = subject.Registry,
                Duration = watch.Elapsed,
            };
        }
    }

    private static async Task<Finding> RunAsync(DoctorCheck row, Subject subject, CancellationToken cancellationToken)
    {
        var limit = subject.Request.Timeout * row.Patience;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit + Grace);
        // A file on a share that has gone holds up its reader whatever the token says; nobody waits for that.
        var work = Task.Run(() => row.RunAsync(subject, deadline.Token), CancellationToken.None);
        try
        {
            return await work.WaitAsync(limit + Grace + Grace, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It closes and removes what it has made.
            await Task.WhenAny(work, Task.Delay(Grace, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return e switch
            {
                OperationCanceledException or TimeoutException => Finding.Fail(
                    $"It was not done within {Text.Time(limit)}.", "The daemon may hang or be very busy: look at its log, or allow more time.", "BuildKit.CheckTimeout"),
                BuildKitException error => Finding.Fail(error),
                RpcException { InnerException: BuildKitException error } => Finding.Fail(error),
                RpcException error => Finding.Fail($"The daemon answered: {error.Status.Detail}", "Its log may say more.", "BuildKit.DaemonError"),
                IOException or UnauthorizedAccessException => Finding.Fail(e.Message, null, "BuildKit.CheckFailed"),
                _ => Finding.Fail($"The check itself has failed: {e.GetType().Name}: {e.Message}", "This is an error of the library. Please report it.", "BuildKit.Unexpected"),
            };
        }
    }
}
