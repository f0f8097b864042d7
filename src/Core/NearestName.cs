namespace BuildKit;

/// <summary>Guesses which name was meant.</summary>
internal static class NearestName
{
    /// <summary>The name with the fewest edits to another, or null where all are too far away.</summary>
    public static string? Find(string name, IEnumerable<string> names)
    {
        var nearest = names.Select(candidate => (Name: candidate, Distance: Distance(name, candidate))).MinBy(pair => pair.Distance);
        return nearest.Name is not null && nearest.Distance <= Math.Max(2, name.Length / 3) ? nearest.Name : null;
    }

    /// <summary>How many letters have to be added, left out, replaced or swapped with their neighbour (optimal string alignment).</summary>
    public static int Distance(string left, string right)
    {
        var table = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }
                var replaced = table[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(replaced, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[left.Length, right.Length];
    }
}
