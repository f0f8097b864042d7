using System.Collections;
using System.Management.Automation;
using System.Security;
using System.Text;
using BuildKit.Solve;

namespace BuildKit.Module.Binding;

/// <summary>
/// Reads <c>-Secret</c>: strings as docker users write them, hashtables with an id and a source, hashtables of ids and values, and <see cref="SolveSecret"/>s
/// (docker/buildx util/buildflags/secrets.go).
/// </summary>
internal static class SecretArgument
{
    private const string Advice =
        "Write 'id=ID,src=PATH', 'id=ID,env=VARIABLE', @{ id = 'ID'; value = (Read-Host -AsSecureString) } or @{ id = 'ID'; script = { Get-Secret ID } }.";

    // What a person may write, and what it means.
    private static readonly Dictionary<string, string> Keys = new(StringComparer.OrdinalIgnoreCase)
    {
        ["type"] = "type",
        ["id"] = "id",
        ["src"] = "src",
        ["source"] = "src",
        ["env"] = "env",
        ["value"] = "value",
        ["script"] = "script",
    };

    /// <summary>Reads all values. Scripts run here, once, on the pipeline's thread.</summary>
    /// <param name="session">The session, against whose location files are resolved.</param>
    /// <param name="values">What was bound.</param>
    /// <returns>The secrets, in order.</returns>
    /// <exception cref="BuildKitException"><c>BuildKit.InvalidSecret</c>, a script that failed, or a path that is none of the file system.</exception>
    public static List<SolveSecret> Read(SessionState session, IEnumerable<object?> values)
    {
        var secrets = new List<SolveSecret>();
        foreach (var item in SpecPieces.Join(values))
        {
            switch (item)
            {
                case List<string> fields:
                    secrets.Add(FromFields(session, FieldsOf(fields)));
                    break;
                case SolveSecret secret:
                    secrets.Add(secret.FilePath is { } path ? secret with { FilePath = FileSystemPath.Resolve(session, path) } : secret);
                    break;
                case IDictionary table when table.Keys.Cast<object>().Any(static key => IsId(key.ToString())):
                    secrets.Add(FromFields(session, FieldsOf(table)));
                    break;
                case IDictionary table:
                    secrets.AddRange(table.Cast<DictionaryEntry>().Select(entry => FromPair(session, entry.Key.ToString() ?? "", PSValue.Unwrap(entry.Value))));
                    break;
                default:
                    throw Invalid($"A value of the type {item?.GetType().Name ?? "null"} is no secret.");
            }
        }
        return secrets;
    }

    private static bool IsId(string? key) => string.Equals(key, "id", StringComparison.OrdinalIgnoreCase);

    private static Dictionary<string, object?> FieldsOf(List<string> texts)
    {
        var fields = new Dictionary<string, object?>();
        foreach (var (name, value) in SpecPieces.ToPairs(texts, static _ => InvalidField()))
            fields[Keys.TryGetValue(name, out var key) && key is not ("value" or "script") ? key : throw InvalidField()] = value;
        return fields;
    }

    private static Dictionary<string, object?> FieldsOf(IDictionary table)
    {
        var fields = new Dictionary<string, object?>();
        foreach (DictionaryEntry entry in table)
        {
            if (!Keys.TryGetValue(entry.Key.ToString() ?? "", out var key))
                throw Invalid("A secret's hashtable has id, and one of src, env, value and script; there is a key that is none of these.");
            fields[key] = PSValue.Unwrap(entry.Value);
        }
        return fields;
    }

    private static SolveSecret FromFields(SessionState session, Dictionary<string, object?> fields)
    {
        var id = Text(fields, "id");
        if (string.IsNullOrEmpty(id))
            throw Invalid("A secret has no id.");
        var type = Text(fields, "type");
        if (type is not (null or "file" or "env"))
            throw Invalid($"The type of the secret '{id}' is neither file nor env.", id);
        var (source, variable) = (Text(fields, "src"), Text(fields, "env"));
        if (type == "env")
            (source, variable) = (variable is null ? null : source, variable ?? source ?? id);
        if (new[] { source is not null, variable is not null, fields.ContainsKey("value"), fields.ContainsKey("script") }.Count(static given => given) > 1)
            throw Invalid($"The secret '{id}' has several sources.", id);

        if (fields.TryGetValue("value", out var value))
            return FromValue(session, id, value);
        if (fields.TryGetValue("script", out var script))
            return script is ScriptBlock block ? SecretScript.Run(session, id, block) : throw Invalid($"The script of the secret '{id}' is no script block.", id);
        if (variable is not null)
            return SolveSecret.FromEnvironment(id, variable);
        // With an id alone, the variable of that name wins over the file.
        return source is null && type is null && Environment.GetEnvironmentVariable(id) is not null
            ? SolveSecret.FromEnvironment(id, id)
            : SolveSecret.FromFile(id, FileSystemPath.Resolve(session, source ?? id));
    }

    // A text is not taken here: a hashtable with a forgotten id would become secrets named src and env.
    private static SolveSecret FromPair(SessionState session, string id, object? value) => value is string
        ? throw Invalid($"Under '{id}' there is a text. Beside an id, write what it is: @{{ id = 'ID'; value = … }}, or src or env in place of value.")
        : FromValue(session, id, value);

    private static SolveSecret FromValue(SessionState session, string id, object? value) => value switch
    {
        ScriptBlock script => SecretScript.Run(session, id, script),
        _ => Make(id, value) ?? throw Invalid($"The value of the secret '{id}' is no SecureString, PSCredential, text or byte array.", id),
    };

    /// <summary>Makes a secret of a value.</summary>
    /// <returns>Null for a value of another kind.</returns>
    internal static SolveSecret? Make(string id, object? value) => value switch
    {
        SecureString secure => SolveSecret.FromValue(id, secure),
        PSCredential credential => SolveSecret.FromValue(id, credential.Password),
        string text => SolveSecret.FromValue(id, Encoding.UTF8.GetBytes(text)),
        byte[] bytes => SolveSecret.FromValue(id, bytes),
        _ => null,
    };

    // The field itself is not named: it may be a value that was put in the wrong place.
    private static BuildKitException InvalidField() =>
        Invalid("A secret is written as fields id=, src=, env= and type=, with commas between them; there is one that is none of these.");

    private static BuildKitException Invalid(string message, string? id = null) =>
        new("BuildKit.InvalidSecret", BuildKitErrorCategory.InvalidArgument, message, Advice) { Target = id };

    private static string? Text(Dictionary<string, object?> fields, string key) =>
        fields.TryGetValue(key, out var value) && value?.ToString() is { Length: > 0 } text ? text : null;
}
