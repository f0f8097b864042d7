// Builds samples/hello with BuildKit.Core alone: no PowerShell, no docker executable.
//   dotnet run --project samples/HelloSolve [-- CONTEXT [ADDRESS]]
using System.Text;
using BuildKit;
using BuildKit.Builders;
using BuildKit.Solve;

var context = Path.GetFullPath(args.ElementAtOrDefault(0) ?? "samples/hello");
using var cancel = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) => (e.Cancel = true, cancel.CancelAsync()).ToString();

try
{
    var endpoint = await new EndpointResolver().ResolveAsync(args.ElementAtOrDefault(1), cancel.Token);
    await using var connection = await BuildKitConnection.ConnectAsync(endpoint, cancel.Token);
    Console.WriteLine($"building {context} on {connection.Name}");

    var request = new SolveRequest { Context = context, Tags = ["hello:1"] };
    var result = await SolveOperation.RunAsync(connection, request, new Lines(), cancel.Token);

    Console.WriteLine($"image  {result.ImageDigest}");
    Console.WriteLine($"tags   {string.Join(", ", result.Tags)}");
    Console.WriteLine($"steps  {result.Steps.Count}, {result.Steps.Count(step => step.Cached)} cached, {result.Duration.TotalSeconds:0.0} s");
    return 0;
}
catch (BuildKitException e)
{
    Console.Error.WriteLine($"{e.ErrorId}: {e.Message}\n{e.RecommendedAction}");
    return 1;
}
catch (OperationCanceledException)
{
    return 130;
}

/// <summary>Prints the steps that end and what they wrote.</summary>
internal sealed class Lines : IProgress<SolveEvent>
{
    private readonly HashSet<string> _done = [];

    public void Report(SolveEvent value)
    {
        foreach (var vertex in value.Vertexes.Where(vertex => vertex.Completed is not null && _done.Add(vertex.Digest)))
            Console.WriteLine($"{(vertex.Cached ? "CACHED" : "DONE  ")} {vertex.Name}");
        foreach (var log in value.Logs)
            Console.Write(Encoding.UTF8.GetString(log.Data.Span));
    }
}
