using System.Text.RegularExpressions;

namespace BuildKit.Registry;

/// <summary>Where a list goes on (distribution-spec, «Listing Referrers»; RFC 8288): <c>&lt;/v2/app/referrers/sha256:…?n=100&amp;last=b&gt;; rel="next"</c>.</summary>
internal static partial class RegistryLink
{
    /// <param name="response">A page of the list.</param>
    /// <returns>The next page; null where this is the last one.</returns>
    /// <exception cref="FormatException">It is at no URL.</exception>
    public static Uri? Next(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("Link", out var headers))
            return null;
        var next = headers.SelectMany(header => Links().Matches(header)).FirstOrDefault(link => Relations(link.Groups["parameters"].Value).Contains("next", StringComparer.OrdinalIgnoreCase));
        if (next is null)
            return null;
        var target = next.Groups["target"].Value;
        return Uri.TryCreate(response.RequestMessage!.RequestUri, target, out var address) ? address : throw new FormatException($"its next page is at '{target}'");
    }

    private static string[] Relations(string parameters) => Relation().Match(parameters).Groups["types"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    // Targets and quoted values may have commas, which separate links elsewhere.
    [GeneratedRegex("""<(?<target>[^>]*)>(?<parameters>(?:[^,"]|"[^"]*")*)""")]
    private static partial Regex Links();

    [GeneratedRegex("""^(?:[^;"]|"[^"]*"|;(?!\s*rel\s*=))*;\s*rel\s*=\s*(?:"(?<types>[^"]*)"|(?<types>[^\s;]*))""", RegexOptions.IgnoreCase)]
    private static partial Regex Relation();
}
