namespace BuildKit.Session.Secrets;

/// <summary>What a function gives.</summary>
internal sealed class ProvidedSecret(string id, Func<CancellationToken, ValueTask<SecretValue>> provider) : SecretSource(id)
{
    // Asking may take a person's answer, or a fee.
    public override void Check()
    {
    }

    protected override async ValueTask<SecretValue> ReadCoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await provider(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            throw SecretErrors.ProviderFailed(Id, e);
        }
    }
}
