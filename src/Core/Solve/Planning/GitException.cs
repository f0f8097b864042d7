namespace BuildKit.Solve.Planning;

/// <summary>There is a work tree, but git can't be asked about it. The message is the end of a sentence.</summary>
internal sealed class GitException(string message) : Exception(message);
