using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace BuildKit.Grpc;

/// <summary>Reads what a peer says before and after its messages (grpc/grpc doc/PROTOCOL-HTTP2.md, "Responses").</summary>
internal static class ResponseHeaderReader
{
    private const string StatusKey = "grpc-status";
    private const string MessageKey = "grpc-message";
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Headers or trailers as metadata, without what the protocol keeps for itself.</summary>
    public static Metadata ReadMetadata(HttpResponseHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            if (!IsMetadataKey(name))
                continue;
            foreach (var value in values)
                if (name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
                    AddBinary(metadata, name, value);
                else
                    metadata.Add(name, value);
        }

        return metadata;
    }

    /// <summary>The status in headers or trailers, or null where there is none.</summary>
    public static Status? ReadStatus(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(StatusKey, out var statuses))
            return null;
        var code = int.TryParse(statuses.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int)StatusCode.Unknown;
        var detail = headers.NonValidated.TryGetValues(MessageKey, out var messages) ? DecodeMessage(messages.ToString()) : string.Empty;
        return code is >= (int)StatusCode.OK and <= (int)StatusCode.Unauthenticated
            ? new Status((StatusCode)code, detail)
            : new Status(StatusCode.Unknown, $"{detail} (grpc-status {statuses})".TrimStart());
    }

    /// <summary>Why a response that has no gRPC status can't be one of gRPC, or null where it can (grpc/grpc doc/http-grpc-status-mapping.md).</summary>
    public static Status? Refuse(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
            return new Status(FromHttpStatus(response.StatusCode), $"The peer answered with HTTP status {(int)response.StatusCode} instead of gRPC.");
        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : "none";
        return contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            ? null
            : new Status(StatusCode.Unknown, $"The peer answered with content type '{contentType}' instead of gRPC.");
    }

    /// <summary>Undoes the percent-encoding; what is not valid stays as it came, because a decoder must not lose a message.</summary>
    internal static string DecodeMessage(string message)
    {
        if (!message.Contains('%', StringComparison.Ordinal))
            return message;
        var bytes = new byte[message.Length];
        var length = 0;
        for (var i = 0; i < message.Length; i++)
        {
            if (message[i] == '%' && i + 2 < message.Length
                && byte.TryParse(message.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes[length++] = value;
                i += 2;
            }
            else if (message[i] <= 0xff)
                bytes[length++] = (byte)message[i];
        }

        try
        {
            return StrictUtf8.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return message;
        }
    }

    private static StatusCode FromHttpStatus(HttpStatusCode code) => code switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout =>
            StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    // HTTP allows more characters in a name than gRPC does; such a header is no metadata.
    private static bool IsMetadataKey(string name)
    {
        if (name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) && !name.Equals("grpc-status-details-bin", StringComparison.OrdinalIgnoreCase))
            return false;
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        return true;
    }

    // A proxy may have joined repeated values with commas, and padding is optional.
    private static void AddBinary(Metadata metadata, string name, string joined)
    {
        foreach (var part in joined.Split(',', StringSplitOptions.TrimEntries))
        {
            var bytes = new byte[part.Length];
            if (Convert.TryFromBase64String(part.PadRight((part.Length + 3) / 4 * 4, '='), bytes, out var length))
                metadata.Add(name, bytes[..length]);
        }
    }
}
