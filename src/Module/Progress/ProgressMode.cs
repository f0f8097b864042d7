namespace BuildKit.Module.Progress;

/// <summary>How a build is shown while it runs.</summary>
public enum ProgressMode
{
    /// <summary>Bars where the host shows them to a person, lines everywhere else.</summary>
    Auto,

    /// <summary>Bars, with <c>Write-Progress</c>.</summary>
    Tty,

    /// <summary>Lines on the information stream, as <c>docker buildx build --progress plain</c> writes them.</summary>
    Plain,

    /// <summary>
    /// Events on the information stream, one line of JSON each, as <c>docker buildx build --progress rawjson</c> writes them. They hold the warnings too.
    /// </summary>
    RawJson,

    /// <summary>Nothing but warnings and the result.</summary>
    Quiet,

    /// <summary>Nothing but the result; its <c>Warnings</c> hold the warnings.</summary>
    None,
}
