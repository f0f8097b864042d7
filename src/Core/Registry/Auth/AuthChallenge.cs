namespace BuildKit.Registry.Auth;

/// <summary>One challenge of a <c>WWW-Authenticate</c> header (RFC 9110, sections 11.2 to 11.6.1).</summary>
/// <param name="Scheme">Such as <c>Bearer</c>; compared whatever its case.</param>
/// <param name="Parameters">By their names, whatever their case; of several with one name, the first.</param>
internal sealed record AuthChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public string? this[string name] => Parameters.GetValueOrDefault(name);

    public bool Is(string scheme) => Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>The challenges of all such headers. What is malformed ends the header that it is in; what came before it counts.</summary>
    public static IReadOnlyList<AuthChallenge> Parse(IEnumerable<string> headers)
    {
        var challenges = new List<AuthChallenge>();
        foreach (var header in headers)
            new Reader(header).ReadInto(challenges);
        return challenges;
    }

    private ref struct Reader(string text)
    {
        private readonly string _text = text;
        private int _at;

        private readonly char Next => _at < _text.Length ? _text[_at] : '\0';

        public void ReadInto(List<AuthChallenge> challenges)
        {
            Dictionary<string, string>? parameters = null;
            while (true)
            {
                Skip(" \t,");
                var name = ReadToken();
                if (name.Length == 0)
                    return;
                var end = _at;
                Skip(" \t");
                if (Next == '=' && parameters is not null)
                {
                    _at++;
                    Skip(" \t");
                    if (ReadValue() is not { } value)
                        return;
                    parameters.TryAdd(name, value);
                    continue;
                }
                parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                challenges.Add(new AuthChallenge(name, parameters));
                if (_at > end)
                    SkipToken68();
            }
        }

        private void Skip(string characters)
        {
            while (_at < _text.Length && characters.Contains(_text[_at], StringComparison.Ordinal))
                _at++;
        }

        private string ReadToken()
        {
            var start = _at;
            while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || "!#$%&'*+-.^_`|~".Contains(_text[_at], StringComparison.Ordinal)))
                _at++;
            return _text[start.._at];
        }

        private string? ReadValue()
        {
            if (Next != '"')
                return ReadToken() is { Length: > 0 } token ? token : null;
            var value = new System.Text.StringBuilder();
            for (_at++; _at < _text.Length; _at++)
            {
                if (_text[_at] == '"')
                {
                    _at++;
                    return value.ToString();
                }
                if (_text[_at] == '\\' && _at + 1 < _text.Length)
                    _at++;
                value.Append(_text[_at]);
            }
            return null;
        }

        // What a scheme such as Negotiate has in place of parameters: it ends at a comma, and '=' stands at its end alone.
        private void SkipToken68()
        {
            var start = _at;
            while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || "-._~+/".Contains(_text[_at], StringComparison.Ordinal)))
                _at++;
            while (Next == '=')
                _at++;
            Skip(" \t");
            if (Next is not ('\0' or ','))
                _at = start;
        }
    }
}
