namespace BuildKit.Session.Ssh;

/// <summary>What answers for one id of <c>RUN --mount=type=ssh</c>.</summary>
internal interface ISshAgent : IDisposable
{
    /// <summary>Begins to serve one connection of a step.</summary>
    /// <exception cref="BuildKitException">The agent can't be reached.</exception>
    ValueTask<ISshAgentConnection> ConnectAsync(CancellationToken cancellationToken);
}

/// <summary>One connection. Requests come one at a time, and only such as <see cref="SshAgentMessage.IsAllowed"/> lets through.</summary>
internal interface ISshAgentConnection : IAsyncDisposable
{
    /// <summary>Answers a request.</summary>
    /// <param name="request">A whole message.</param>
    /// <param name="cancellationToken">Ends the wait for an answer.</param>
    /// <returns>A whole message, valid until the next call.</returns>
    /// <exception cref="BuildKitException">The agent is gone.</exception>
    ValueTask<ReadOnlyMemory<byte>> AnswerAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken);
}
