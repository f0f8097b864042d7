namespace BuildKit.Module.Commands;

/// <summary>For whom a builder is chosen.</summary>
public enum BuilderScope
{
    /// <summary>For this PowerShell process.</summary>
    Session,

    /// <summary>For this user, in buildx's store: for docker buildx and for sessions to come too.</summary>
    User,
}
