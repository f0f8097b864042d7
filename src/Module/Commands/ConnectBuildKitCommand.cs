using System.Management.Automation;
using BuildKit.Builders;
using BuildKit.Module.Binding;
using BuildKit.Module.Completion;
using BuildKit.Transport;

namespace BuildKit.Module.Commands;

/// <summary>Opens a connection to a daemon. It stays open for every call of the session that gives it or its address.</summary>
[Cmdlet(VerbsCommunications.Connect, "BuildKit")]
[OutputType(typeof(BuildKitConnection))]
public sealed class ConnectBuildKitCommand : BuilderCommandBase
{
    /// <inheritdoc/>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Connection", "Address")]
    [ArgumentCompleter(typeof(BuilderCompleter))]
    [ValidateNotNullOrEmpty]
    public override object? Builder { get; set; }

    /// <summary>A PEM file with the authority that signed the daemon's certificate.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CACertificate { get; set; }

    /// <summary>A PEM file with the certificate that proves who we are.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ClientCertificate { get; set; }

    /// <summary>A PEM file with the key of the client certificate.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ClientKey { get; set; }

    /// <summary>The name that the daemon's certificate must carry, where it is not the host's.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ServerName { get; set; }

    /// <summary>Whether the daemon's certificate is taken without a look.</summary>
    [Parameter]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            if (TlsOptions() is { } tls)
                Builder = BuildKitEndpoint.Parse(Builder?.ToString() ?? throw AddressMissing(), tls);
        }
        catch (BuildKitException e)
        {
            WriteError(e, Builder);
            return;
        }
        RunConnected(static (connection, _) => Task.FromResult(connection), WriteObject);
    }

    private BuildKitTlsOptions? TlsOptions()
    {
        var options = new BuildKitTlsOptions
        {
            CaFile = FileSystemPath.Resolve(SessionState, CACertificate),
            CertificateFile = FileSystemPath.Resolve(SessionState, ClientCertificate),
            KeyFile = FileSystemPath.Resolve(SessionState, ClientKey),
            ServerName = ServerName,
            SkipVerify = SkipCertificateCheck,
        };
        return options == new BuildKitTlsOptions() ? null : options;
    }

    private static BuildKitException AddressMissing() => new(
        "BuildKit.InvalidEndpoint", BuildKitErrorCategory.InvalidArgument, "Certificates are given, but no address.",
        "Give the address too: -Builder tcp://host:port.");
}
