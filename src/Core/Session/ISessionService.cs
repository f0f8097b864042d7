using BuildKit.Grpc;

namespace BuildKit.Session;

/// <summary>What one service of a session offers the daemon.</summary>
internal interface ISessionService : IAsyncDisposable
{
    /// <summary>The methods the daemon may call.</summary>
    ServerServiceDefinition Definition { get; }

    /// <summary>What failed on this side and made the solve fail with this message; null where nothing here did.</summary>
    /// <param name="message">The daemon's message.</param>
    BuildKitException? FailureBehind(string message);
}
