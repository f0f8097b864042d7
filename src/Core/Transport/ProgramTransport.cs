using System.ComponentModel;
using System.Diagnostics;

namespace BuildKit.Transport;

/// <summary>Reaches a daemon through a program; each connection is a process of its own.</summary>
internal sealed class ProgramTransport(TransportTarget target, HelperProgram program, TimeSpan connectTimeout) : DaemonTransport(target, connectTimeout)
{
    /// <summary>docker's own name for an Engine at the other end of a pipe; some proxies look at it (docker/cli cli/connhelper).</summary>
    public override string HttpHost => "docker.example.com";

    public override bool TellsWhyItEnds => true;

    protected override ValueTask<Stream> ConnectCoreAsync(ApplicationProtocol protocol, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(program.FileName)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        foreach (var argument in program.Arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return ValueTask.FromResult<Stream>(new ProcessStream(Process.Start(start)!, Target, program));
        }
        catch (Win32Exception exception)
        {
            throw ConnectionFailures.ProgramNotFound(Target, program, exception);
        }
    }
}
