using System.Collections;

namespace BuildKit.Grpc;

/// <summary>Headers or trailers of a call. Keys are lower case; a key that ends in <c>-bin</c> holds bytes, any other ASCII text.</summary>
internal sealed class Metadata : IEnumerable<Metadata.Entry>
{
    public const string BinaryHeaderSuffix = "-bin";

    private readonly List<Entry> _entries = [];

    public int Count => _entries.Count;

    public void Add(Entry entry) => _entries.Add(entry);

    public void Add(string key, string value) => Add(new Entry(key, value));

    public void Add(string key, byte[] value) => Add(new Entry(key, value));

    /// <summary>The last value of a text key, or null.</summary>
    public string? GetValue(string key)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
            if (_entries[i].Key == key)
                return _entries[i].Value;
        return null;
    }

    /// <summary>The last value of a <c>-bin</c> key, or null.</summary>
    public byte[]? GetValueBytes(string key)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
            if (_entries[i].Key == key)
                return _entries[i].ValueBytes;
        return null;
    }

    /// <summary>Every entry of a key, in the order in which they were added.</summary>
    public IEnumerable<Entry> GetAll(string key) => _entries.Where(entry => entry.Key == key);

    public IEnumerator<Entry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal sealed class Entry
    {
        private readonly string? _text;
        private readonly byte[]? _bytes;

        public Entry(string key, string value)
        {
            Key = Normalize(key);
            if (IsBinary)
                throw new ArgumentException($"'{key}' ends in -bin and takes bytes.", nameof(key));
            _text = value;
        }

        public Entry(string key, byte[] value)
        {
            Key = Normalize(key);
            if (!IsBinary)
                throw new ArgumentException($"'{key}' does not end in -bin and takes text.", nameof(key));
            _bytes = value;
        }

        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        public string Value => _text ?? throw new InvalidOperationException($"'{Key}' holds bytes.");

        public byte[] ValueBytes => _bytes ?? throw new InvalidOperationException($"'{Key}' holds text.");

        public override string ToString() => IsBinary ? $"{Key}: {_bytes!.Length} bytes" : $"{Key}: {_text}";

        private static string Normalize(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            var lower = key.ToLowerInvariant();
            foreach (var c in lower)
                if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' or '.'))
                    throw new ArgumentException($"'{key}' is not a metadata key: letters, digits, '-', '_' and '.' only.", nameof(key));
            return lower;
        }
    }
}
