using System.Diagnostics;
using System.Text;

namespace BuildKit.Transport;

/// <summary>
/// A process's standard input and output as one stream. What it writes to standard error is kept, and becomes the error where it ends before its time.
/// Disposing ends the process.
/// </summary>
internal sealed class ProcessStream : Stream
{
    private const int MaxErrorChars = 4096;
    private static readonly TimeSpan ExitWait = TimeSpan.FromSeconds(3);

    private readonly Process _process;
    private readonly TransportTarget _target;
    private readonly HelperProgram _program;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly StringBuilder _errors = new();
    private readonly Task _errorsRead;
    private int _disposed;

    public ProcessStream(Process process, TransportTarget target, HelperProgram program)
    {
        _process = process;
        _target = target;
        _program = program;
        _input = process.StandardInput.BaseStream;
        _output = process.StandardOutput.BaseStream;
        _errorsRead = ReadErrorsAsync(process.StandardError);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _output.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return read > 0 || buffer.IsEmpty || _disposed != 0 ? read : throw await EndedAsync(null).ConfigureAwait(false);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await _input.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            await _input.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception) when (_disposed == 0)
        {
            throw await EndedAsync(exception).ConfigureAwait(false);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            // With its input gone the program ends by itself; one that does not is not waited for.
            Try(_input.Dispose);
            Try(() => _process.Kill(entireProcessTree: true));
            Try(_output.Dispose);
            _process.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task<ConnectionFailedException> EndedAsync(Exception? cause)
    {
        int? exitCode = null;
        try
        {
            await _process.WaitForExitAsync().WaitAsync(ExitWait).ConfigureAwait(false);
            await _errorsRead.WaitAsync(ExitWait).ConfigureAwait(false);
            exitCode = _process.ExitCode;
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            // It closed its output and goes on, or the stream was disposed meanwhile.
        }
        string words;
        lock (_errors)
            words = _errors.ToString().Trim();
        return ConnectionFailures.ProgramEnded(_target, _program, exitCode, words, cause);
    }

    private async Task ReadErrorsAsync(StreamReader reader)
    {
        var buffer = new char[1024];
        try
        {
            int read;
            while ((read = await reader.ReadAsync(buffer.AsMemory()).ConfigureAwait(false)) > 0)
            {
                lock (_errors)
                {
                    _errors.Append(buffer, 0, read);
                    if (_errors.Length > MaxErrorChars)
                        _errors.Remove(0, _errors.Length - MaxErrorChars);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The process is gone; what came until then is kept.
        }
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended already.
        }
    }
}
