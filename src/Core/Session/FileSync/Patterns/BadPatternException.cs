namespace BuildKit.Session.FileSync.Patterns;

/// <summary>A pattern that moby/patternmatcher would refuse.</summary>
internal sealed class BadPatternException(string message) : Exception(message);
