using BuildKit.Grpc;
using BuildKit.Transport;

namespace BuildKit.Builders;

/// <summary>Turns a call that failed into an error for a person: a broken connection, or the daemon's own words.</summary>
internal static class DaemonErrors
{
    public static BuildKitException FromRpc(DaemonTransport transport, RpcException exception)
    {
        // A fault on this side of the wire is the inner exception; a status that the daemon sent has none.
        if (exception.InnerException is not null)
            return ConnectionFailures.Find(transport.Target, transport is TlsTransport { HasClientCertificate: true }, exception);
        var (id, category) = exception.StatusCode switch
        {
            StatusCode.Unavailable => ("ConnectionLost", BuildKitErrorCategory.Connection),
            StatusCode.Unimplemented => ("NotSupportedByDaemon", BuildKitErrorCategory.NotSupported),
            StatusCode.PermissionDenied or StatusCode.Unauthenticated => ("DaemonAccessDenied", BuildKitErrorCategory.PermissionDenied),
            StatusCode.NotFound => ("DaemonNotFound", BuildKitErrorCategory.NotFound),
            StatusCode.InvalidArgument => ("DaemonBadRequest", BuildKitErrorCategory.InvalidArgument),
            _ => ("DaemonError", BuildKitErrorCategory.Protocol),
        };
        return new BuildKitException("BuildKit." + id, category, $"{transport.Target} answered: {exception.Status.Detail}", null, exception)
        {
            Target = transport.Target.Address,
        };
    }
}
