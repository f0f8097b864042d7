namespace BuildKit.Session.Secrets;

/// <summary>The value of an environment variable of this process, in UTF-8.</summary>
internal sealed class EnvironmentSecret(string id, string variable) : SecretSource(id)
{
    // Upstream takes a variable that is not set for an empty secret.
    public override void Check() => Read();

    protected override ValueTask<SecretValue> ReadCoreAsync(CancellationToken cancellationToken) => ValueTask.FromResult(SecretValue.Of(Read()));

    private string Read() => Environment.GetEnvironmentVariable(variable) ?? throw SecretErrors.VariableNotFound(Id, variable);
}
