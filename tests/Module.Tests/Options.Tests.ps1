BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle buildkitd
    # The reason stands in the name of what is skipped.
    $where = @{ Where = $obstacle ? "a buildkitd, but: $obstacle" : 'a buildkitd' }
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'An option that can not be right' {
    BeforeAll {
        # Nobody listens there.
        $nowhere = @{ Dockerfile = "FROM scratch`n"; Builder = 'unix:///nowhere.sock'; Progress = 'None'; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
    }

    It 'is refused before a daemon is asked: <Name>' -ForEach @(
        @{ Name = '-CacheFrom without a type'; Call = { Invoke-BuildKitSolve -CacheFrom 'ref=x,mode=max' @nowhere }; Id = 'BuildKit.InvalidCache' }
        @{ Name = '-CacheTo with a field that is no pair'; Call = { Invoke-BuildKitSolve -CacheTo 'type=s3,secret_access_key=hush,hushhush' @nowhere }; Id = 'BuildKit.InvalidCache' }
        @{ Name = '-CacheTo without a type, before another'; Call = { Invoke-BuildKitSolve -CacheTo ref=x, ref=y, type=registry @nowhere }; Id = 'BuildKit.InvalidCache' }
        @{ Name = '-ShmSize with a line feed'; Call = { Invoke-BuildKitSolve -ShmSize "64m`n" @nowhere }; Id = 'BuildKit.InvalidSize' }
        @{ Name = '-Provenance with a word that Go has not'; Call = { Invoke-BuildKitSolve -Provenance tRuE @nowhere }; Id = 'BuildKit.InvalidAttestation' }
        @{ Name = '-CacheTo of a number'; Call = { Invoke-BuildKitSolve -CacheTo 5 @nowhere }; Id = 'BuildKit.InvalidCache' }
        @{ Name = '-CacheTo on a drive without files'; Call = { Invoke-BuildKitSolve -CacheTo type=local, dest=env:/x @nowhere }; Id = 'BuildKit.InvalidPath' }
        @{ Name = '-Attest without a type'; Call = { Invoke-BuildKitSolve -Attest mode=max @nowhere }; Id = 'BuildKit.InvalidAttestation' }
        @{ Name = '-Attest with a strange boolean'; Call = { Invoke-BuildKitSolve -Attest type=sbom, disabled=perhaps @nowhere }; Id = 'BuildKit.InvalidAttestation' }
        @{ Name = '-Provenance that is no pair'; Call = { Invoke-BuildKitSolve -Provenance most @nowhere }; Id = 'BuildKit.InvalidAttestation' }
        @{ Name = '-ShmSize of a word'; Call = { Invoke-BuildKitSolve -ShmSize large @nowhere }; Id = 'BuildKit.InvalidSize' }
        @{ Name = '-ShmSize below zero'; Call = { Invoke-BuildKitSolve -ShmSize -5 @nowhere }; Id = 'BuildKit.InvalidSize' }
    ) {
        . $Call
        $failure | Should -HaveCount 1
        $failure[0].FullyQualifiedErrorId | Should -Be "$Id,BuildKit.Module.Commands.InvokeBuildKitSolveCommand"
        $failure[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
        $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        "$($failure[0])" | Should -Not -BeLike '*hushhush*'
    }
}

Describe 'An option that PowerShell took apart' {
    It 'is put together: <Name>' -ForEach @(
        @{ Name = 'with the type first'; Call = { Invoke-BuildKitSolve -CacheTo type=registry,ref=app:cache -CacheFrom type=local,src=., type=inline @nowhere } }
        @{ Name = 'with the type last'; Call = { Invoke-BuildKitSolve -CacheTo ref=app:cache,mode=max,type=registry -CacheFrom src=.,type=local -Attest mode=max,type=provenance @nowhere } }
        @{ Name = 'beside others'; Call = { Invoke-BuildKitSolve -CacheFrom ref=a,type=registry, type=registry,ref=b, ref=c,type=registry @nowhere } }
    ) {
        $nowhere = @{ Dockerfile = "FROM scratch`n"; Builder = 'unix:///nowhere.sock'; Progress = 'None'; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
        . $Call
        $failure.FullyQualifiedErrorId | Should -BeLike 'BuildKit.SocketNotFound,*'
    }
}

Describe 'Completion of options' {
    It 'knows <Line>' -ForEach @(
        @{ Line = 'Invoke-BuildKitSolve -Network '; Values = 'default', 'none', 'host' }
        @{ Line = 'Invoke-BuildKitSolve -Allow s'; Values = 'security.insecure' }
        @{ Line = 'Invoke-BuildKitSolve -CacheTo type=l'; Values = "'type=local,dest='" }
        @{ Line = 'Invoke-BuildKitSolve -CacheFrom type=l'; Values = "'type=local,src='" }
        @{ Line = 'Invoke-BuildKitSolve -Provenance '; Values = 'true', 'false', 'mode=max', 'mode=min' }
        @{ Line = 'Invoke-BuildKitSolve -Ulimit nof'; Values = 'nofile=' }
    ) {
        Complete $Line | Should -Be $Values
    }
}

Describe 'Options on <Where>' -ForEach $where -Skip:([bool] $obstacle) {
    BeforeAll {
        $engine = Get-TestEngine buildkitd
        $registry = $engine.BaseImage -replace '/.*'
        $common = @{ Builder = $engine.Address; Progress = 'None'; ErrorAction = 'Stop' }
        # What a step printed.
        function Get-StepOutput([string] $Command, [hashtable] $Option = @{}) {
            $dockerfile = "FROM $($engine.BaseImage)`nARG SALT`nRUN $Command`n"
            $arguments = @{ Builder = $engine.Address; Progress = 'Plain'; ErrorAction = 'Stop'; BuildArg = @{ SALT = [guid]::NewGuid() }; Output = 'type=cacheonly' }
            foreach ($name in $Option.Keys) { $arguments[$name] = $Option[$name] }
            Invoke-BuildKitSolve -Dockerfile $dockerfile @arguments 6>&1 | Where-Object { $_ -is [Management.Automation.InformationRecord] } | ForEach-Object { "$_" }
        }
        # The parts of an image: its index or manifest (Root), its config, and what its attestations are.
        function Read-Image([string] $Archive) {
            $blob = { param($Digest) tar -xOf $Archive "blobs/$($Digest -replace ':', '/')" | ConvertFrom-Json }
            $index = tar -xOf $Archive index.json | ConvertFrom-Json
            $root = & $blob $index.manifests[0].digest
            $manifest = $root.manifests ? (& $blob $root.manifests[0].digest) : $root
            $attestation = $root.manifests.Where{ $_.annotations.'vnd.docker.reference.type' }
            [pscustomobject]@{
                Root       = $root
                Manifest   = $manifest
                Config     = & $blob $manifest.config.digest
                Provenance = $attestation | ForEach-Object { & $blob (& $blob $_.digest).layers[0].digest }
            }
        }
        function Get-Image([hashtable] $Option) {
            $file = Join-Path TestDrive: "$([guid]::NewGuid()).tar"
            $null = Invoke-BuildKitSolve -Dockerfile "FROM $($engine.BaseImage) AS base`nFROM scratch`nCOPY --from=base /bin/busybox /b`n" -Output @{ type = 'oci'; dest = $file } @common @Option
            Read-Image (Convert-Path $file)
        }
    }

    AfterEach { Reset-Environment }

    It 'takes -AddHost as texts and as hashtables of one or several addresses' {
        $lines = (Get-StepOutput 'cat /etc/hosts' @{ AddHost = 'a:10.0.0.1', @{ b = '10.0.0.2'; c = '10.0.0.3', 'fd00::3' } }) -join "`n"
        $lines | Should -Match '10\.0\.0\.1\s+a'
        $lines | Should -Match '10\.0\.0\.2\s+b'
        $lines | Should -Match '10\.0\.0\.3\s+c'
        $lines | Should -Match 'fd00::3\s+c'
    }

    It 'takes -ShmSize <Value> as <Kilobytes> KiB' -ForEach @(
        @{ Value = 33MB; Kilobytes = 33792 }
        @{ Value = '33m'; Kilobytes = 33792 }
        @{ Value = '0.5 GiB'; Kilobytes = 524288 }
        @{ Value = 34603008; Kilobytes = 33792 }
    ) {
        (Get-StepOutput 'grep /dev/shm /proc/mounts' @{ ShmSize = $Value }) -join "`n" | Should -BeLike "*size=$($Kilobytes)k*"
    }

    It 'takes lists in hashtables as words with commas between them, and switches as docker writes booleans' {
        $image = Get-Image @{ BuildArg = @{ x = 1 }; Label = @{ flags = 'a', 'b'; on = [switch] $true; 'of' = (Get-Item $PSScriptRoot), 1.5 } }
        $image.Config.config.Labels.flags | Should -Be 'a,b'
        $image.Config.config.Labels.on | Should -BeExactly 'true'
        $image.Config.config.Labels.of | Should -Be "$PSScriptRoot,1.5"
    }

    It 'takes -Ulimit and -Network' {
        $lines = (Get-StepOutput 'echo soft $(ulimit -Sn), $(grep -c : /proc/net/dev) network' @{ Ulimit = 'nofile=1000:2000'; Network = 'none' }) -join "`n"
        $lines | Should -BeLike '*soft 1000, 1 network*'
    }

    It 'refuses <Name> with an error record' -ForEach @(
        @{ Name = 'a host'; Option = @{ AddHost = 'db' }; Id = 'BuildKit.InvalidHost' }
        @{ Name = 'host-gateway'; Option = @{ AddHost = 'db:host-gateway' }; Id = 'BuildKit.HostGatewayUnknown' }
        @{ Name = 'a limit'; Option = @{ Ulimit = 'nofiles=1' }; Id = 'BuildKit.InvalidUlimit' }
        @{ Name = 'a network'; Option = @{ Network = 'mine' }; Id = 'BuildKit.NetworkNotSupported' }
        @{ Name = 'an entitlement'; Option = @{ Allow = 'all' }; Id = 'BuildKit.InvalidEntitlement' }
        @{ Name = 'a platform'; Option = @{ Platform = 'amd46' }; Id = 'BuildKit.InvalidPlatform' }
        @{ Name = 'an annotation'; Option = @{ Annotation = 'x' }; Id = 'BuildKit.InvalidAnnotation' }
        @{ Name = 'an attestation'; Option = @{ Attest = 'type=x' }; Id = 'BuildKit.InvalidAttestation' }
        @{ Name = 'a time'; Option = @{ SourceDateEpoch = 'soon' }; Id = 'BuildKit.InvalidSourceDateEpoch' }
        @{ Name = 'a cache mode'; Option = @{ CacheTo = 'type=inline,mode=most' }; Id = 'BuildKit.InvalidCache' }
        @{ Name = 'both kinds of no cache'; Option = @{ NoCache = $true; NoCacheFilter = 'x' }; Id = 'BuildKit.NoCacheConflict' }
        @{ Name = 'a frontend without an image'; Option = @{ Frontend = 'gateway.v0' }; Id = 'BuildKit.FrontendNeedsSource' }
    ) {
        $arguments = $common + $Option
        $arguments.ErrorAction = 'SilentlyContinue'
        Invoke-BuildKitSolve -Dockerfile "FROM scratch`n" @arguments -ErrorVariable failure
        $failure | Should -HaveCount 1
        $failure[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
        $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'takes -Annotation unquoted, as texts and as hashtables' {
        $image = Get-Image @{ Provenance = $true; Annotation = 'index', 'manifest:both=1', 'plain=2', @{ 'org.example.k' = 'a=b,c'; 'index:top' = $true } }
        $image.Root.annotations.both | Should -Be 1
        $image.Root.annotations.top | Should -Be 'true'
        $image.Manifest.annotations.both | Should -Be 1
        $image.Manifest.annotations.plain | Should -Be 2
        $image.Manifest.annotations.'org.example.k' | Should -Be 'a=b,c'
    }

    It 'takes <Name>' -ForEach @(
        @{ Name = '-Attest unquoted'; Option = @{ Attest = 'type=provenance', 'mode=max' }; IsMax = $true }
        @{ Name = '-Attest as a hashtable'; Option = @{ Attest = @{ type = 'provenance'; mode = 'max' } }; IsMax = $true }
        @{ Name = '-Attest before -Provenance'; Option = @{ Attest = 'type=provenance,mode=max'; Provenance = $false }; IsMax = $true }
        @{ Name = '-Provenance as a mode'; Option = @{ Provenance = 'mode=max' }; IsMax = $true }
        @{ Name = '-Provenance unquoted'; Option = @{ Provenance = 'mode=max', 'builder-id=x' }; IsMax = $true }
        @{ Name = '-Provenance as a hashtable'; Option = @{ Provenance = @{ mode = 'min' } }; IsMax = $false }
        @{ Name = '-Provenance of $true, which is max'; Option = @{ Provenance = $true }; IsMax = $true }
    ) {
        $provenance = (Get-Image $Option).Provenance
        $provenance.predicateType | Should -BeLike 'https://slsa.dev/provenance/*'
        ($provenance | ConvertTo-Json -Depth 30).Contains('llbDefinition') | Should -Be $IsMax
    }

    It 'leaves the provenance out with <Name>' -ForEach @(
        @{ Name = '-Provenance $false'; Option = @{ Provenance = $false } }
        @{ Name = '-Provenance false'; Option = @{ Provenance = 'false' } }
        @{ Name = '-Attest disabled'; Option = @{ Attest = @{ type = 'provenance'; disabled = $true } } }
        @{ Name = 'the variable'; Option = @{}; Variable = '1' }
    ) {
        $env:BUILDX_NO_DEFAULT_ATTESTATIONS = $Variable
        (Get-Image $Option).Root.manifests | Should -BeNullOrEmpty
    }

    It 'takes -SourceDateEpoch <Value>' -ForEach @(
        @{ Value = 1714521600 }
        @{ Value = '1714521600' }
        @{ Value = '2024-05-01' }
        @{ Value = '2024-05-01T02:00:00+02:00' }
        @{ Value = [datetime]::new(2024, 5, 1) }
        @{ Value = [datetimeoffset]::new(2024, 5, 1, 0, 0, 0, 0).LocalDateTime }
        @{ Value = [datetimeoffset]::new(2024, 5, 1, 5, 0, 0, [timespan]::FromHours(5)) }
    ) {
        (Get-Image @{ SourceDateEpoch = $Value }).Config.created.ToUniversalTime() | Should -Be ([datetime]::new(2024, 5, 1))
    }

    It 'takes the time and the platform from the environment' {
        $env:SOURCE_DATE_EPOCH = '1714521600'
        $env:DOCKER_DEFAULT_PLATFORM = 'aarch64'
        $config = (Get-Image @{}).Config
        $config.created.ToUniversalTime() | Should -Be ([datetime]::new(2024, 5, 1))
        $config.architecture | Should -Be 'arm64'
    }

    It 'takes -CacheTo unquoted and -CacheFrom as the name of an image' {
        $ref = "$registry/options-cache:$([guid]::NewGuid().ToString('n'))"
        $dockerfile = "FROM $($engine.BaseImage)`nRUN echo $([guid]::NewGuid())`n"
        $null = Invoke-BuildKitSolve -Dockerfile $dockerfile -CacheTo type=registry, ref=$ref, mode=max @common
        $steps = (Invoke-BuildKitSolve -Dockerfile $dockerfile -CacheFrom $ref @common).Steps
        $steps.Name | Should -Contain "importing cache manifest from $ref"
        $steps.Where{ $_.Name -like '*RUN*' }.Cached | Should -BeTrue
    }

    It 'says that a cache of GitHub Actions is left out elsewhere' {
        $null = Invoke-BuildKitSolve -Dockerfile "FROM scratch`nLABEL a=b`n" -CacheTo type=gha -Builder $engine.Address -Progress Quiet -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings -join "`n" | Should -BeLike '*type=gha is left out*'
    }

    It 'sends the proxies of the docker config to the steps, and shows them nowhere' {
        $env:DOCKER_CONFIG = New-Context @{ 'config.json' = '{"proxies":{"default":{"httpProxy":"http://user:hushhush@127.0.0.1:9","noProxy":"127.0.0.1"}}}' }
        $dockerfile = "FROM $($engine.BaseImage)`nRUN echo upper `${#HTTP_PROXY} lower `${#http_proxy}, `$NO_PROXY`n"
        $all = Invoke-BuildKitSolve -Dockerfile $dockerfile -NoCache -Output type=cacheonly -Builder $engine.Address -Progress Plain -Verbose -Debug -WarningAction Continue *>&1 | Format-List * | Out-String -Width 500
        $all | Should -BeLike '*upper 32 lower 32, 127.0.0.1*'
        $all | Should -Not -BeLike '*hushhush*'
    }

    It 'reads a source policy relative to the current location' {
        Push-Location (New-Context @{ 'policy.json' = '{"rules":[{"action":"DENY","selector":{"identifier":"docker-image://*"}}]}' })
        try {
            $env:EXPERIMENTAL_BUILDKIT_SOURCE_POLICY = 'policy.json'
            { Get-StepOutput true } | Should -Throw '*denied by policy*'
        }
        finally { Pop-Location }
    }
}
