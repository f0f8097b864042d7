using BuildKit.Docker;

namespace BuildKit.Session.FileSend;

/// <summary>Is told how an Engine puts an image into its store. <see cref="Start"/> and <see cref="End"/> come once each, in this order.</summary>
internal interface IImageLoadProgress : IProgress<JSONMessage>
{
    /// <summary>The Engine has the whole archive.</summary>
    void Start();

    /// <summary>It is done.</summary>
    /// <param name="failure">Why it failed, or null.</param>
    void End(Exception? failure);
}
