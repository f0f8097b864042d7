using BuildKit.Module.Commands;
using BuildKit.Oci.Copying;

namespace BuildKit.Module.Progress;

/// <summary>Brings the events of a copy to the pipeline's thread.</summary>
internal sealed class PostedCopyEvents(PipelinePump pump, OciCopyBars bars) : IProgress<OciCopyEvent>
{
    public void Report(OciCopyEvent value) => pump.Post(() => bars.Update(value));
}
