namespace BuildKit.Session.FileSync.Walk;

/// <summary>A file that can't be listed, looked at, opened or read.</summary>
/// <param name="path">The path as a person knows it.</param>
/// <param name="message">What was tried and why it failed, without the path.</param>
/// <param name="isDenied">Whether rights are missing.</param>
/// <param name="innerException">The cause, where it was an exception.</param>
internal sealed class FileTreeException(string path, string message, bool isDenied, Exception? innerException = null) : IOException(message, innerException)
{
    public string Path { get; } = path;

    public bool IsDenied { get; } = isDenied;
}
