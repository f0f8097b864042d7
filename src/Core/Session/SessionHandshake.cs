namespace BuildKit.Session;

/// <summary>What the daemon is told of a session when it is opened, as HTTP headers of <c>POST /session</c> or as metadata of <c>Control.Session</c>.</summary>
/// <param name="Id">The session's id; a solve request names it.</param>
/// <param name="Name">A name for a person, the context directory's as a rule.</param>
/// <param name="SharedKey">Ties the contexts of repeated builds of the same directory together, so that unchanged files are not sent again.</param>
/// <param name="Methods">The paths of the methods that we serve on it.</param>
internal sealed record SessionHandshake(string Id, string Name, string SharedKey, IReadOnlyCollection<string> Methods);
