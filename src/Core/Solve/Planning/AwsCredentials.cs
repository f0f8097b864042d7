namespace BuildKit.Solve.Planning;

/// <summary>
/// The AWS credentials of this user: the variables, or else the keys of a profile in the shared files, as the AWS SDKs read them.
/// What needs a request to AWS is left out: roles to assume, web identities, SSO, credential processes, instance metadata.
/// </summary>
internal static class AwsCredentials
{
    private static readonly (string Attribute, string Setting)[] Fields =
    [
        ("access_key_id", "aws_access_key_id"), ("secret_access_key", "aws_secret_access_key"), ("session_token", "aws_session_token"),
    ];

    /// <summary>Adds the keys unless both of them were given.</summary>
    /// <returns>True: without keys the daemon may have some of its own.</returns>
    public static async Task<bool> AddToAsync(Dictionary<string, string> attributes, SolveDaemon daemon, CancellationToken cancellationToken)
    {
        if (attributes.ContainsKey(Fields[0].Attribute) && attributes.ContainsKey(Fields[1].Attribute))
            return true;
        var found = FromVariables(daemon.Variable) ?? await FromFilesAsync(daemon.Variable, cancellationToken).ConfigureAwait(false);
        foreach (var (attribute, setting) in Fields)
            if (found.TryGetValue(setting, out var value) && value.Length > 0)
                attributes.TryAdd(attribute, value);
        return true;
    }

    private static Dictionary<string, string>? FromVariables(Func<string, string?> variable)
    {
        var id = First(variable, "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY");
        var secret = First(variable, "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY");
        return id is null || secret is null
            ? null
            : new() { [Fields[0].Setting] = id, [Fields[1].Setting] = secret, [Fields[2].Setting] = variable("AWS_SESSION_TOKEN") ?? "" };
    }

    private static async Task<Dictionary<string, string>> FromFilesAsync(Func<string, string?> variable, CancellationToken cancellationToken)
    {
        var profile = First(variable, "AWS_PROFILE", "AWS_DEFAULT_PROFILE") ?? "default";
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        var credentials = variable("AWS_SHARED_CREDENTIALS_FILE") ?? Path.Combine(home, ".aws", "credentials");
        var config = variable("AWS_CONFIG_FILE") ?? Path.Combine(home, ".aws", "config");
        (string Path, string[] Sections)[] places = [(credentials, [profile]), (config, profile == "default" ? [profile, "profile default"] : [$"profile {profile}"])];
        foreach (var (path, sections) in places)
        {
            var settings = await ReadSectionAsync(path, sections, cancellationToken).ConfigureAwait(false);
            if (HasKeys(settings))
                return settings;
        }
        return [];
    }

    private static bool HasKeys(Dictionary<string, string> settings) => settings.ContainsKey(Fields[0].Setting) && settings.ContainsKey(Fields[1].Setting);

    private static string? First(Func<string, string?> variable, params string[] names) =>
        names.Select(variable).FirstOrDefault(value => !string.IsNullOrEmpty(value));

    /// <summary>The settings of a section; none where the file or the section is missing or can't be read, as with the SDKs.</summary>
    private static async Task<Dictionary<string, string>> ReadSectionAsync(string path, string[] sections, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string[] lines;
        try
        {
            lines = await File.ReadAllLinesAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return settings;
        }

        var isWanted = false;
        foreach (var line in lines.Select(line => line.Trim()))
        {
            if (line.StartsWith('[') && line.IndexOf(']', StringComparison.Ordinal) is > 0 and var end)
                isWanted = sections.Contains(string.Join(' ', line[1..end].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
            else if (isWanted && line.Length > 0 && line[0] is not ('#' or ';') && line.Split('=', 2) is [var name, var value])
                settings[name.Trim()] = value.Trim();
        }
        return settings;
    }
}
