namespace BuildKit.Transport;

/// <summary>A program whose standard input and output lead to a daemon: <c>ssh</c>, <c>kubectl exec</c>, <c>podman exec</c>.</summary>
/// <param name="FileName">The program, found on the PATH.</param>
/// <param name="Arguments">Its arguments, each as the program is to see it.</param>
/// <param name="Requirement">What has to be there for it to work, as advice when it fails.</param>
internal sealed record HelperProgram(string FileName, IReadOnlyList<string> Arguments, string Requirement);
