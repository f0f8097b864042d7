BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28, buildkitd, buildkitd-tls, registry
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    function Get-Names { (Get-BuildKitBuilder -NoStatus).Name }
    # The machine may be busy.
    $PSDefaultParameterValues['Get-BuildKitBuilder:TimeoutSec'] = 60
    $quiet = @{ ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
}

AfterAll {
    $PSDefaultParameterValues.Remove('Get-BuildKitBuilder:TimeoutSec')
    Reset-Environment
}

Describe 'Builders' -Skip:([bool] $obstacle) {
    BeforeAll {
        $docker = Get-TestEngine docker28
        $buildkitd = Get-TestEngine buildkitd
        $tls = Get-TestEngine buildkitd-tls
        $buildx = Invoke-Engines path buildx
    }

    BeforeEach {
        Reset-Environment
        # The folder of a docker context is the SHA-256 of its name.
        $farm = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes('farm'))).ToLowerInvariant()
        $env:DOCKER_CONFIG = New-Context @{ "contexts/meta/$farm/meta.json" = '{"Name":"farm","Endpoints":{"docker":{"Host":"unix:///nowhere.sock"}}}' }
        $env:DOCKER_HOST = $docker.Address
        Use-BuildKitBuilder -Reset
        Disconnect-BuildKit
    }

    AfterEach { Use-BuildKitBuilder -Reset }

    Context 'that are listed' {
        BeforeEach {
            $null = New-BuildKitBuilder one $buildkitd.Address -Platform linux/arm64
            $null = New-BuildKitBuilder other tcp://127.0.0.1:1 -DriverOption default-load=true
        }

        It 'are those of docker buildx ls' {
            $theirs = @(& $buildx ls --format json | ConvertFrom-Json)
            (Get-BuildKitBuilder).Name | Should -Be $theirs.Name
            (Get-BuildKitBuilder).Nodes.Name | Should -Be @($theirs.ForEach{ $_.Err ? $_.Name : $_.Nodes.Name })
            (Get-BuildKitBuilder).Where{ $_.IsCurrent }.Name | Should -Be 'default'
        }

        It 'tell how their nodes are' {
            $one, $other = Get-BuildKitBuilder one, oth*
            $one.Nodes[0].Status | Should -Be 'Running'
            $one.Nodes[0].Version | Should -Match '^v\d'
            $one.Nodes[0].Platforms | Should -Be 'linux/arm64'
            $one.Nodes[0].WorkerPlatforms | Should -Contain 'linux/amd64'
            $other.Nodes[0].Status | Should -Be 'Error'
            $other.Nodes[0].Error | Should -Match 'nobody listens'
            $other.Nodes[0].DriverOptions['default-load'] | Should -Be 'true'
            (Get-BuildKitBuilder one -NoStatus).Nodes[0].Status | Should -Be 'Unknown'
        }

        It 'show their views' {
            $table = Get-BuildKitBuilder | Out-String -Width 120
            $table | Should -Match '(?m)^one +remote\s*$'
            $table | Should -Match '(?m)^ \\_ one0 +\\_ .* Running +v\S+ +linux/arm64\*'
            $table | Should -Match '(?m)^ \\_ other0 .* Error +nobody'
            $table | Should -Match '(?m)^default\* +docker\s*$'
            $list = Get-BuildKitBuilder other | Format-List | Out-String -Width 120
            $list | Should -Match 'DriverOptions : default-load=true'
            (Get-BuildKitBuilder one).Nodes | Out-String | Should -Match 'Status +: Running'
        }

        It 'are found by wildcards and in any case, and by nothing else' {
            (Get-BuildKitBuilder O* -NoStatus).Name | Should -Be 'one', 'other'
            (Get-BuildKitBuilder ONE -NoStatus).Name | Should -Be 'one'
            Get-BuildKitBuilder x* | Should -BeNullOrEmpty
            Get-BuildKitBuilder ohter, one @quiet | Should -HaveCount 1
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.BuilderNotFound'
            "$($failure[0])" | Should -Match "Did you mean 'other'"
            $failure[0].ErrorDetails.RecommendedAction | Should -Match 'farm'
        }

        It 'are taken wherever a builder is: by name, as object, as node, by pipeline' {
            (Get-BuildKitServer one).Address | Should -Be $buildkitd.Address
            (Get-BuildKitBuilder one -NoStatus | Get-BuildKitServer).Name | Should -Be 'one'
            ((Get-BuildKitBuilder one -NoStatus).Nodes[0] | Get-BuildKitServer | Get-BuildKitWorker).Id | Should -Not -BeNullOrEmpty
            Get-BuildKitServer -Builder (Get-BuildKitBuilder farm -NoStatus).Nodes[0] @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.SocketNotFound'
            $context = New-Context @{ Dockerfile = "FROM scratch`nCOPY Dockerfile /" }
            (Get-BuildKitBuilder one -NoStatus | ForEach-Object { Invoke-BuildKitSolve $context -Builder $_ -Output (Join-Path $context out) -Progress None }).Builder | Should -Be 'one'
            (Get-BuildKitBuilder one -NoStatus).LastActivity | Should -BeGreaterThan ([DateTimeOffset]::UtcNow.AddMinutes(-5))
        }

        It 'are all asked by Get-BuildKitServer *' {
            $servers = Get-BuildKitServer * @quiet
            $servers.Name | Should -Be 'one', 'default'
            $failure.ForEach{ Get-ErrorId $_ } | Sort-Object | Should -Be 'BuildKit.ConnectionRefused', 'BuildKit.SocketNotFound'
        }
    }

    Context 'that are created' {
        It 'return what docker buildx sees too, with certificates relative to the current location' {
            Push-Location (Split-Path $tls.Ca)
            try { $builder = New-BuildKitBuilder Secure $tls.Address -DriverOption @{ cacert = 'ca.pem'; cert = 'cert.pem' }, key=key.pem }
            finally { Pop-Location }
            $builder.Name | Should -Be 'secure'
            $builder.Nodes[0].Status | Should -Be 'Running'
            $builder.Nodes[0].DriverOptions.cacert | Should -Be $tls.Ca
            & $buildx inspect secure | Out-String | Should -Match 'Status: +running'
        }

        It 'are there, and used, where they do not start' {
            Use-BuildKitBuilder farm
            $env:BUILDX_BUILDER = 'farm'
            $made = New-BuildKitBuilder lazy tcp://127.0.0.1:1 -Use -Start -WarningVariable warning -WarningAction SilentlyContinue @quiet
            $made.Name | Should -Be 'lazy'
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.ConnectionRefused'
            $warning | Should -BeLike "*`$env:BUILDX_BUILDER names 'farm'*"
            $env:BUILDX_BUILDER = $null
            (Get-BuildKitBuilder -NoStatus).Where{ $_.IsCurrent }.Name | Should -Be 'lazy'
        }

        It 'get nodes, a name, and are used' {
            $made = New-BuildKitBuilder -Endpoint $buildkitd.Address -Use
            $made.Name | Should -Match '^[a-z]+_[a-z]+'
            $made.IsCurrent | Should -BeTrue
            (New-BuildKitBuilder $made.Name tcp://127.0.0.1:1 -Append -NodeName extra -Platform linux/s390x).Nodes.Name | Should -Be "$($made.Name)0", 'extra'
            (& $buildx ls --format json | ConvertFrom-Json).Where{ $_.Current }.Name | Should -Be $made.Name
        }

        It 'are not made by -WhatIf' {
            New-BuildKitBuilder one $buildkitd.Address -WhatIf
            Get-Names | Should -Be 'default', 'farm'
        }

        It 'are refused: <Name>' -ForEach @(
            @{ Name = 'the driver docker'; Arguments = @{ Name = 'x'; Driver = 'docker' }; Id = 'BuildKit.DriverNotCreatable' }
            @{ Name = 'a name that is taken'; Arguments = @{ Name = 'farm'; Endpoint = 'tcp://127.0.0.1:1' }; Id = 'BuildKit.BuilderNameTaken' }
            @{ Name = 'an option that is none'; Arguments = @{ Name = 'x'; Endpoint = 'tcp://127.0.0.1:1'; DriverOption = 'word' }; Id = 'BuildKit.InvalidDriverOption' }
            @{ Name = 'a docker context that is not there'; Arguments = @{ Name = 'x'; Endpoint = 'nowhere' }; Id = 'BuildKit.DockerContextNotFound' }
            @{ Name = 'an Engine that is not there'; Arguments = @{ Name = 'x'; Endpoint = 'farm' }; Id = 'BuildKit.NodeUnreachable' }
        ) {
            New-BuildKitBuilder @Arguments @quiet | Should -BeNullOrEmpty
            Get-ErrorId $failure[0] | Should -Be $Id
            $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
            Get-Names | Should -Be 'default', 'farm'
        }
    }

    Context 'that are used' {
        BeforeEach {
            $null = New-BuildKitBuilder one $buildkitd.Address
            $null = New-BuildKitBuilder two tcp://127.0.0.1:1
        }

        It 'win in this session before all settings, and docker buildx knows nothing of it' {
            $env:BUILDX_BUILDER = 'two'
            $env:BUILDKIT_HOST = 'tcp://127.0.0.1:2'
            (Use-BuildKitBuilder one -PassThru).IsCurrent | Should -BeTrue
            $messages = Get-BuildKitServer -Verbose 4>&1
            $messages.Where{ $_ -is [Management.Automation.VerboseRecord] }.Message | Should -BeLike "*chosen by builder 'one', Use-BuildKitBuilder."
            Test-Path (Join-Path $env:DOCKER_CONFIG buildx/current) | Should -BeFalse
            (Use-BuildKitBuilder -Reset -PassThru).Name | Should -Be 'two'
            (Get-BuildKitBuilder -NoStatus).Where{ $_.IsCurrent }.Name | Should -Be 'two'
        }

        It 'can be addresses and docker contexts' {
            Use-BuildKitBuilder $buildkitd.Address
            (Get-BuildKitServer).Address | Should -Be $buildkitd.Address
            'farm' | Use-BuildKitBuilder
            (Get-BuildKitBuilder -NoStatus).Where{ $_.IsCurrent }.Name | Should -Be 'farm'
            Connect-BuildKit $buildkitd.Address | Use-BuildKitBuilder
            (Get-BuildKitServer).Kind | Should -Be 'Buildkitd'
        }

        It 'can be an address that nobody answers, which is then the builder of what names none' {
            $used = Use-BuildKitBuilder tcp://127.0.0.1:9 -PassThru
            "$($used.Name) $($used.IsCurrent) $($used.Nodes[0].Endpoint)" | Should -Be 'tcp://127.0.0.1:9 True tcp://127.0.0.1:9'
            Start-BuildKitBuilder @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.ConnectionRefused'
            Stop-BuildKitBuilder @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.BuilderNotStoppable'
            Use-BuildKitBuilder tcp://127.0.0.1:9 -Scope User @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.BuilderNotStored'
        }

        It 'can be default, whatever the settings say' {
            $env:BUILDX_BUILDER = 'two'
            (Get-BuildKitBuilder default -NoStatus | Use-BuildKitBuilder -PassThru).Name | Should -Be 'default'
            (Get-BuildKitServer).Name | Should -Be 'default'
            Use-BuildKitBuilder -Reset -WhatIf
            (Get-BuildKitServer).Name | Should -Be 'default'
        }

        It 'are docker buildx''s too with -Scope User' {
            Use-BuildKitBuilder two
            Use-BuildKitBuilder one -Scope User
            (& $buildx ls --format json | ConvertFrom-Json).Where{ $_.Current }.Name | Should -Be 'one'
            (Get-BuildKitServer).Name | Should -Be 'one'
            & $buildx use two
            (Get-BuildKitBuilder -NoStatus).Where{ $_.IsCurrent }.Name | Should -Be 'two'
            Use-BuildKitBuilder default -Scope User -WarningVariable none
            (Get-BuildKitServer).Name | Should -Be 'default'
            $none | Should -BeNullOrEmpty
            $env:BUILDX_BUILDER = 'two'
            Use-BuildKitBuilder one -Global -WarningVariable warning -WarningAction SilentlyContinue
            $warning | Should -BeLike '*$env:BUILDX_BUILDER*'
        }

        It 'are not changed by -WhatIf, nor by a name that is none' {
            Use-BuildKitBuilder one -WhatIf
            Use-BuildKitBuilder nobody @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.BuilderNotFound'
            Use-BuildKitBuilder farm -Scope User @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.BuilderNotStored'
            (Get-BuildKitBuilder -NoStatus).Where{ $_.IsCurrent }.Name | Should -Be 'default'
        }

        It 'are forgotten when they are removed' {
            Use-BuildKitBuilder one
            Remove-BuildKitBuilder one
            (Get-BuildKitServer).Name | Should -Be 'default'
        }
    }

    Context 'that are removed, or are somebody else''s' {
        BeforeEach {
            $null = New-BuildKitBuilder one $buildkitd.Address
            $null = New-BuildKitBuilder one tcp://127.0.0.1:1 -Append
            $null = New-BuildKitBuilder two tcp://127.0.0.1:2
        }

        It 'go by name, wildcard and pipeline, and stay with -WhatIf' {
            Remove-BuildKitBuilder * -WhatIf
            Get-Names | Should -Be 'one', 'two', 'default', 'farm'
            Remove-BuildKitBuilder one -NodeName one0
            (Get-BuildKitBuilder one -NoStatus).Nodes.Name | Should -Be 'one1'
            Get-BuildKitBuilder one -NoStatus | Remove-BuildKitBuilder
            Remove-BuildKitBuilder T*
            Get-Names | Should -Be 'default', 'farm'
        }

        It 'go where none of their nodes runs with -AllInactive' {
            Remove-BuildKitBuilder -AllInactive -Force
            Get-Names | Should -Be 'one', 'default', 'farm'
        }

        It 'stay where they can''t go' {
            Remove-BuildKitBuilder farm, nobody @quiet
            $failure.ForEach{ Get-ErrorId $_ } | Sort-Object | Should -Be 'BuildKit.BuilderNotFound', 'BuildKit.BuilderNotStored'
            Remove-BuildKitBuilder two -NodeName two0 @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.LastNode'
        }

        It 'are neither started nor stopped' {
            Stop-BuildKitBuilder two, default @quiet
            $failure.ForEach{ Get-ErrorId $_ } | Should -Be 'BuildKit.BuilderNotStoppable', 'BuildKit.BuilderNotStoppable'
            $failure[0].CategoryInfo.Category | Should -Be 'NotImplemented'
            Start-BuildKitBuilder two @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.ConnectionRefused'
            (Start-BuildKitBuilder default -PassThru).Nodes[0].Status | Should -Be 'Running'
            Start-BuildKitBuilder *
            Stop-BuildKitBuilder *
        }
    }

    Context 'in a container' {
        BeforeAll {
            $registry = Get-TestEngine registry
            $image = ([uri] $registry.BaseImage.Insert(0, 'http://')).Authority + '/moby/buildkit:builders'
            Push-BuildKitImage $docker $image
        }

        AfterEach { Remove-BuildKitBuilder box* -Force }

        It 'come and go' {
            $box = New-BuildKitBuilder box -DriverOption @{ image = $image } -BuildkitdFlag '--debug' -Start
            $box.Nodes[0].Status | Should -Be 'Running'
            $box.Nodes[0].BuildkitdFlags | Should -Be '--debug', '--allow-insecure-entitlement=network.host'
            (Get-BuildKitServer box).Kind | Should -Be 'Buildkitd'
            Stop-BuildKitBuilder box -WhatIf
            (Get-BuildKitBuilder box).Nodes[0].Status | Should -Be 'Running'
            ($box | Stop-BuildKitBuilder -PassThru).Nodes[0].Status | Should -Be 'Stopped'
            Get-BuildKitServer box @quiet
            Get-ErrorId $failure[0] | Should -Be 'BuildKit.BuilderNotRunning'
            Get-BuildKitServer b* @quiet | Should -BeNullOrEmpty
            $failure | Should -BeNullOrEmpty
            (Start-BuildKitBuilder b* -PassThru).Nodes[0].Status | Should -Be 'Running'
            Invoke-TestDocker $docker pause buildx_buildkit_box0 | Out-Null
            Remove-BuildKitBuilder -AllInactive -Force
            Get-Names | Should -Contain 'box'
            Invoke-TestDocker $docker ps --quiet --filter name=buildx_buildkit_box | Should -Not -BeNullOrEmpty
            $box | Remove-BuildKitBuilder
            Invoke-TestDocker $docker ps --all --quiet --filter name=buildx_buildkit_box | Should -BeNullOrEmpty
            Invoke-TestDocker $docker volume ls --quiet --filter name=buildx_buildkit_box | Should -BeNullOrEmpty
        }
    }

    Context 'completion' {
        BeforeEach {
            $null = New-BuildKitBuilder one tcp://127.0.0.1:1
            $null = New-BuildKitBuilder one tcp://127.0.0.1:2 -Append
        }

        It 'knows <Line>' -ForEach @(
            @{ Line = 'Get-BuildKitBuilder '; Values = 'one', 'default', 'farm' }
            @{ Line = 'Use-BuildKitBuilder f'; Values = 'farm' }
            @{ Line = 'Remove-BuildKitBuilder '; Values = 'one' }
            @{ Line = 'Remove-BuildKitBuilder one -NodeName '; Values = 'one0', 'one1' }
            @{ Line = 'New-BuildKitBuilder x -Endpoint '; Values = 'default', 'farm' }
            @{ Line = 'New-BuildKitBuilder x -Driver '; Values = 'docker-container', 'remote' }
            @{ Line = 'New-BuildKitBuilder x -Driver remote -DriverOption c'; Values = 'cacert=', 'cert=' }
            @{ Line = 'New-BuildKitBuilder x -DriverOption memory'; Values = 'memory=', 'memory-swap=' }
            @{ Line = 'Invoke-BuildKitSolve . -Builder o'; Values = 'one' }
        ) {
            Complete $Line | Should -Be $Values
        }
    }
}
