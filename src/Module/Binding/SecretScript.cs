using System.Management.Automation;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>Runs the scripts that give secrets.</summary>
internal static class SecretScript
{
    /// <summary>Runs a script in the caller's session.</summary>
    /// <param name="session">The session.</param>
    /// <param name="id">The secret's id.</param>
    /// <param name="script">
    /// What to run. It gives one SecureString, PSCredential, text or byte array; several texts become lines with a line feed between them, and bytes one after
    /// the other an array, since PowerShell takes both apart.
    /// </param>
    /// <returns>The secret.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.SecretProviderFailed</c>: it threw, or gave nothing, or something else.</exception>
    public static SolveSecret Run(SessionState session, string id, ScriptBlock script)
    {
        List<object?> output;
        try
        {
            output = session.InvokeCommand.InvokeScript(true, script, null).Select(static item => item?.BaseObject).ToList();
        }
        catch (RuntimeException e) when (e is not PipelineStoppedException)
        {
            throw Failed(id, $"The script of the secret '{id}' failed: {e.Message}", e);
        }
        return Combine(id, output) ?? throw Failed(
            id,
            output.Count == 0
                ? $"The script of the secret '{id}' gave nothing."
                : $"The script of the secret '{id}' gave something else than one SecureString, PSCredential, text or byte array.",
            null);
    }

    private static SolveSecret? Combine(string id, List<object?> output)
    {
        if (output is [var only])
            return only is byte single ? SecretArgument.Make(id, new[] { single }) : SecretArgument.Make(id, only);
        if (output.Count > 0 && output.All(static item => item is byte))
            return SecretArgument.Make(id, output.Select(static item => (byte)item!).ToArray());
        return output.Count > 0 && output.All(static item => item is string) ? SecretArgument.Make(id, string.Join('\n', output)) : null;
    }

    private static BuildKitException Failed(string id, string message, Exception? inner) =>
        new("BuildKit.SecretProviderFailed", BuildKitErrorCategory.InputOutput, message, "Run the script by itself to see what it gives.", inner) { Target = id };
}
