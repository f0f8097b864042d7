using BuildKit.Session.Ssh;
using BuildKit.Tests.Engines;
using BuildKit.Tests.Solve;
using Xunit;

namespace BuildKit.Tests.Session.Ssh;

/// <summary>Keys from files, in every form that ssh-keygen and openssl write; OpenSSH's programs sign with them and say whether that is right.</summary>
public sealed class SshKeyTests : IDisposable
{
    private readonly BuildContextDirectory _directory = new();

    private string Key => _directory.At("key");

    public void Dispose() => _directory.Dispose();

    [SkippableTheory]
    [InlineData("-t rsa -b 2048")]
    [InlineData("-t rsa -b 2048 -m PEM")]
    [InlineData("-t rsa -b 2048 -m PKCS8")]
    [InlineData("-t rsa -b 3072")]
    [InlineData("-t ecdsa -b 256")]
    [InlineData("-t ecdsa -b 256 -m PEM")]
    [InlineData("-t ecdsa -b 384")]
    [InlineData("-t ecdsa -b 384 -m PKCS8")]
    [InlineData("-t ecdsa -b 521")]
    [InlineData("-t ecdsa -b 521 -m PEM")]
    [InlineData("-t ed25519")]
    public async Task OpenSshSignsWithAKeyAndVerifies(string arguments)
    {
        await OpenSsh.KeygenAsync(Key, arguments);
        await SignsAsync();
    }

    [SkippableTheory]
    [InlineData("genpkey -algorithm ed25519")]
    [InlineData("genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048")]
    [InlineData("ecparam -name secp384r1 -genkey")]
    public async Task KeysOfOpenSslAreRead(string arguments)
    {
        await OpenSsh.RequireAsync();
        (await CommandResult.RunAsync("openssl", [.. arguments.Split(' '), "-out", Key])).OutputOrThrow();
        // ssh-keygen reads no PKCS#8 with Ed25519, so the agent says what the public half is.
        await using var step = await ForwardedStep.OpenAsync(Key);
        await File.WriteAllTextAsync(Key + ".pub", (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-L")).OutputOrThrow() + "\n");
        await SignsAsync();
    }

    [SkippableFact]
    public async Task TheIdentitiesAreThoseOfTheFilesWithoutTheirComments()
    {
        await OpenSsh.KeygenAsync(_directory.At("one"), "-t ed25519");
        await OpenSsh.KeygenAsync(_directory.At("two"), "-t ecdsa");
        await using var step = await ForwardedStep.OpenAsync(_directory.At("one"), _directory.At("two"));
        var listed = (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-L")).OutputOrThrow();
        var files = new[] { "one", "two" }.Select(name => File.ReadAllText(_directory.At(name + ".pub")).Replace(" comment", "", StringComparison.Ordinal).Trim());
        Assert.Equal(files, listed.Split('\n').Select(line => line.Trim()));
    }

    [SkippableTheory]
    [InlineData("-t ed25519", "")]
    [InlineData("-t rsa -b 2048", "-m PEM")]
    [InlineData("-t rsa -b 2048", "-m PKCS8")]
    public async Task AKeyWithAPassphraseIsRefusedWithAWayOut(string arguments, string form)
    {
        await OpenSsh.KeygenAsync(Key, arguments);
        (await CommandResult.RunAsync("ssh-keygen", ["-q", "-p", "-N", "passphrase", "-f", Key, .. form.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).OutputOrThrow();
        var failure = await FailsAsync();
        Assert.Equal("BuildKit.SshKeyEncrypted", failure.ErrorId);
        Assert.Contains("ssh-add", failure.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(Key, failure.Target);
    }

    [SkippableTheory]
    [InlineData("genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024", "BuildKit.SshKeyInvalid")]
    [InlineData("ecparam -name secp256k1 -genkey", "BuildKit.SshKeyNotSupported")]
    [InlineData("genpkey -algorithm x25519", "BuildKit.SshKeyNotSupported")]
    public async Task KeysThatAreNoneForSshAreRefused(string arguments, string errorId)
    {
        await OpenSsh.RequireAsync();
        (await CommandResult.RunAsync("openssl", [.. arguments.Split(' '), "-out", Key])).OutputOrThrow();
        Assert.Equal(errorId, (await FailsAsync()).ErrorId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJ1 me@here")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMAMCAQA=\n-----END RSA PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----\n")]
    public async Task WhatIsNoKeyIsRefused(string text)
    {
        await File.WriteAllTextAsync(Key, text);
        Assert.Equal("BuildKit.SshKeyInvalid", (await FailsAsync()).ErrorId);
    }

    [SkippableTheory]
    [InlineData("-t rsa -b 2048")]
    [InlineData("-t ecdsa -b 256")]
    [InlineData("-t ed25519")]
    public async Task AKeyThatIsDamagedAnywhereIsNoDefect(string arguments)
    {
        await OpenSsh.KeygenAsync(Key, arguments);
        var lines = await File.ReadAllLinesAsync(Key);
        var content = Convert.FromBase64String(string.Concat(lines[1..^1]));
        for (var length = 0; length < content.Length; length += 17)
        {
            await WriteAsync(content.AsMemory(0, length));
            await Assert.ThrowsAsync<BuildKitException>(OpenAsync);
        }
        // A bit that flips may leave a key that works, such as in the comment.
        for (var i = 0; i < content.Length; i += 11)
        {
            content[i] ^= 0x81;
            await WriteAsync(content);
            await Record.ExceptionAsync(OpenAsync).ContinueWith(
                static task => Assert.True(task.Result is null or BuildKitException, task.Result?.ToString()), TaskScheduler.Default);
            content[i] ^= 0x81;
        }

        async Task OpenAsync()
        {
            foreach (var agent in (await SshAgents.OpenAsync([("default", [Key])], default)).Values)
                agent.Dispose();
        }

        Task WriteAsync(ReadOnlyMemory<byte> bytes) =>
            File.WriteAllTextAsync(Key, $"{lines[0]}\n{Convert.ToBase64String(bytes.Span, Base64FormattingOptions.InsertLineBreaks)}\n{lines[^1]}\n");
    }

    [Fact]
    public void WithoutALibraryThatHasEd25519ThereIsNone()
    {
        Assert.Null(LibCrypto.Load(["libcrypto.so.0.does-not-exist"]));
        if (OperatingSystem.IsLinux())
            // It is there, and is no libcrypto.
            Assert.Null(LibCrypto.Load(["libc.so.6"]));
    }

    [SkippableFact]
    public void LibcryptoSignsAsRfc8032Says()
    {
        Skip.If(LibCrypto.Instance is null, "libcrypto is not found");
        // Section 7.1: the first vector's message is empty.
        foreach (var (seed, publicKey, message, signature) in new[]
        {
            ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
            ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
        })
        {
            using var key = LibCrypto.Instance.ImportEd25519(Convert.FromHexString(seed));
            Assert.Equal(publicKey, Convert.ToHexString(LibCrypto.Instance.Ed25519PublicKey(key)), ignoreCase: true);
            Assert.Equal(signature, Convert.ToHexString(LibCrypto.Instance.SignEd25519(key, Convert.FromHexString(message))), ignoreCase: true);
        }
    }

    private async Task<BuildKitException> FailsAsync() => await Assert.ThrowsAsync<BuildKitException>(() => SshAgents.OpenAsync([("default", [Key])], default));

    private async Task SignsAsync()
    {
        await using var step = await ForwardedStep.OpenAsync(Key);
        var publicKey = Key + ".pub";
        // ssh-add signs with the agent and verifies; ssh-keygen would use the private key's file where it finds it.
        (await OpenSsh.RunAsync(step.Socket, "ssh-add", "-T", publicKey)).OutputOrThrow();
        File.Move(Key, Key + ".away");
        var file = _directory.At("file");
        await File.WriteAllTextAsync(file, "signed");
        (await OpenSsh.RunAsync(step.Socket, "ssh-keygen", "-Y", "sign", "-n", "test", "-f", publicKey, file)).OutputOrThrow();
        var checkedBy = await CommandResult.RunAsync("sh", ["-c", $"ssh-keygen -Y check-novalidate -n test -s '{file}.sig' < '{file}'"]);
        Assert.StartsWith("Good \"test\" signature", checkedBy.OutputOrThrow(), StringComparison.Ordinal);
    }
}
