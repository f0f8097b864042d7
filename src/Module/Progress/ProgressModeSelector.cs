using System.Management.Automation;
using System.Management.Automation.Host;

namespace BuildKit.Module.Progress;

/// <summary>Decides what <see cref="ProgressMode.Auto"/> means here.</summary>
internal static class ProgressModeSelector
{
    // buildx's own variable: what is set for docker holds for us.
    private const string Variable = "BUILDKIT_PROGRESS";

    /// <summary>Makes a mode other than <see cref="ProgressMode.Auto"/>.</summary>
    /// <param name="asked">What the user asked for.</param>
    /// <param name="host">The host.</param>
    /// <param name="preference">The value of <c>$ProgressPreference</c>.</param>
    /// <returns>The mode.</returns>
    public static ProgressMode Select(ProgressMode asked, PSHost host, object? preference)
    {
        asked = OrSetting(asked);
        if (asked != ProgressMode.Auto)
            return asked;
        return ShowsBars(preference) && IsWatched(host) ? ProgressMode.Tty : ProgressMode.Plain;
    }

    /// <summary>Makes the mode of a job, whose streams are received later: bars would then be of the past, so that they become lines.</summary>
    /// <param name="asked">What the user asked for.</param>
    /// <returns>The mode.</returns>
    public static ProgressMode SelectForJob(ProgressMode asked) => OrSetting(asked) is var mode && mode is ProgressMode.Auto or ProgressMode.Tty ? ProgressMode.Plain : mode;

    private static ProgressMode OrSetting(ProgressMode asked)
    {
        var setting = Environment.GetEnvironmentVariable(Variable);
        // By name alone: a number would be taken for a mode too.
        return asked == ProgressMode.Auto && Array.Exists(Enum.GetNames<ProgressMode>(), name => name.Equals(setting, StringComparison.OrdinalIgnoreCase))
            ? Enum.Parse<ProgressMode>(setting!, ignoreCase: true)
            : asked;
    }

    private static bool ShowsBars(object? preference) =>
        !LanguagePrimitives.TryConvertTo<ActionPreference>(preference, out var action)
        || action is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);

    /// <summary>Whether somebody sits before the host: a job, a runbook or a redirected shell has no window.</summary>
    private static bool IsWatched(PSHost host)
    {
        if (host.Name == "ServerRemoteHost" || (host.Name == "ConsoleHost" && Console.IsOutputRedirected))
            return false;
        try
        {
            return host.UI?.RawUI is { } window && window.WindowSize.Width > 0;
        }
        catch (Exception e) when (e is HostException or NotImplementedException or InvalidOperationException)
        {
            return false;
        }
    }
}
