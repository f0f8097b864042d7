BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28
    if (-not $obstacle -and -not (Get-Command ssh-keygen, ssh-agent, ssh-add -ErrorAction Ignore)) {
        if ($env:CI -eq 'true') { $null = sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends openssh-client' }
        else { $obstacle = 'missing: apt-get install -y openssh-client' }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $context = New-Context @{ Dockerfile = "FROM scratch`n"; 'not-a-key' = 'text' }
}

Describe '-Ssh' {
    It 'refuses <Name>' -ForEach @(
        @{ Name = 'a path without an id'; Value = '~/.ssh/id_rsa'; Advice = "*'default=~/.ssh/id_rsa'*" }
        @{ Name = 'a name after a key, which may be either'; Value = 'git=./one', 'two'; Advice = '*./two*' }
        @{ Name = 'an unknown key'; Value = @{ id = 'x'; socket = 'y' }; Advice = '*@{*' }
        @{ Name = 'a number'; Value = 5; Advice = '*@{*' }
    ) {
        Invoke-BuildKitSolve $context -Ssh $Value -Builder unix:///nowhere.sock -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.InvalidSsh,*'
        "$($failure[0].ErrorDetails.RecommendedAction) $($failure[0].Exception.Message)" | Should -BeLike $Advice
    }

    Context 'in a build<Obstacle>' -ForEach @{ Obstacle = $obstacle ? ", but: $obstacle" : '' } -Skip:([bool] $obstacle) {
        BeforeAll {
            $engine = Get-TestEngine docker28
            $image = New-Item (Join-Path $context image) -ItemType Directory
            $keys = (New-Item (Join-Path $context keys) -ItemType Directory).FullName
            $null = New-Item $image/bin, $image/pub -ItemType Directory
            # Host tools and their libraries are what the step runs.
            $program = (Get-Command ssh-add).Source
            Copy-Item $program $image/bin
            foreach ($library in (ldd $program | Select-String '(?<=\s)/\S+').Matches.Value) {
                $null = New-Item (Split-Path "$image$library") -ItemType Directory -Force
                Copy-Item $library "$image$library"
            }
            foreach ($type in 'rsa', 'ecdsa', 'ed25519') { ssh-keygen -q -N '' -t $type -f "$keys/$type" }
            ssh-keygen -q -N passphrase -t ed25519 -f "$keys/encrypted"
            $socket = "$keys/agent.sock"
            $agent = Start-Process ssh-agent '-D', '-a', $socket -PassThru -RedirectStandardOutput /dev/null
            Wait-Until { Test-Path $socket }
            $oldSocket = $env:SSH_AUTH_SOCK
            $env:SSH_AUTH_SOCK = $socket
            ssh-add -q "$keys/ed25519"

            # The public halves of the keys that a step sees, in order.
            function Get-Identity([object[]] $Ssh, [string] $Id = 'default') {
                $dockerfile = "FROM $($engine.BaseImage)`nCOPY image /`nRUN --mount=type=ssh,id=$Id,required=true ssh-add -L"
                $null = Invoke-BuildKitSolve $context -Dockerfile $dockerfile -Ssh $Ssh -Builder $engine.Address -Progress Plain -NoCache -InformationVariable lines 6>$null -ErrorAction Stop
                foreach ($line in $lines) { if ("$line" -match '(ssh-|ecdsa-)\S+ (\S{20,})') { $Matches[2] } }
            }
            function Get-PublicKey([string[]] $Name) { $Name.ForEach{ (Get-Content "$keys/$_.pub").Split(' ')[1] } }
        }

        AfterAll {
            if ($agent) { Stop-Process $agent }
            $env:SSH_AUTH_SOCK = $oldSocket
            Disconnect-BuildKit $engine.Address
        }

        It 'takes <Name>' -ForEach @(
            @{ Name = 'default for the agent'; Ssh = { 'default' }; Expected = 'ed25519' }
            @{ Name = 'a socket'; Ssh = { "git=$socket" }; Id = 'git'; Expected = 'ed25519' }
            @{ Name = 'key files, relative to the location'; Ssh = { 'git=keys/rsa,keys/ecdsa' }; Id = 'git'; Expected = 'rsa', 'ecdsa' }
            @{ Name = 'key files that PowerShell took apart, and another id'; Ssh = { 'git=./keys/rsa', './keys/ecdsa', 'default' }; Id = 'git'; Expected = 'rsa', 'ecdsa' }
            @{ Name = 'a hashtable'; Ssh = { @{ id = 'git'; path = 'keys/ecdsa', 'keys/ed25519' } }; Id = 'git'; Expected = 'ecdsa', 'ed25519' }
            @{ Name = 'several, in all forms at once'; Ssh = { 'default', @{ a = 'keys/rsa'; b = 'keys/rsa', 'keys/ed25519' }, @{ id = 'c' } }; Id = 'b'; Expected = 'rsa', 'ed25519' }
        ) {
            Push-Location $context
            try { Get-Identity (. $Ssh) ($Id ?? 'default') | Should -Be (Get-PublicKey $Expected) }
            finally { Pop-Location }
        }

        It 'refuses <Name> before the build' -ForEach @(
            @{ Name = 'a key with a passphrase'; Ssh = 'default=keys/encrypted'; ErrorId = 'BuildKit.SshKeyEncrypted' }
            @{ Name = 'a file that is no key'; Ssh = 'default=not-a-key'; ErrorId = 'BuildKit.SshKeyInvalid' }
            @{ Name = 'a file that is not there'; Ssh = 'default=keys/nothing'; ErrorId = 'BuildKit.SshKeyNotFound' }
            @{ Name = 'a socket among keys'; Ssh = 'default=keys/agent.sock,keys/rsa'; ErrorId = 'BuildKit.InvalidSsh' }
            @{ Name = 'an id that is given twice'; Ssh = 'default', 'default'; ErrorId = 'BuildKit.InvalidSsh' }
        ) {
            Push-Location $context
            try { Invoke-BuildKitSolve . -Ssh $Ssh -Builder $engine.Address -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue }
            finally { Pop-Location }
            $failure[0].FullyQualifiedErrorId | Should -BeLike "$ErrorId,*"
            $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        }

        It 'means the agent for a git repository behind SSH, and says where there is none' {
            $env:SSH_AUTH_SOCK = $null
            try {
                foreach ($repository in 'git@example.invalid:x/y.git', 'ssh://git@example.invalid/x/y.git') {
                    Invoke-BuildKitSolve $repository -Builder $engine.Address -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue
                    $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.SshAgentNotFound,*'
                    $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*ssh-agent*'
                }
            }
            finally { $env:SSH_AUTH_SOCK = $socket }
        }
    }
}
