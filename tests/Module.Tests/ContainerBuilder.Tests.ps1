BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28, docker28-containerd, registry
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

AfterAll { Reset-Environment }

Describe 'A builder in a container on <_>' -Skip:([bool] $obstacle) -ForEach 'docker28', 'docker28-containerd' {
    BeforeAll {
        Reset-Environment
        $engine = Get-TestEngine $_
        $registry = Get-TestEngine registry
        $buildx = Invoke-Engines path buildx
        # What a user pulls is in a registry; this one is made of the same buildkitd.
        $image = "$($registry.Address)/moby/buildkit:shell"
        Push-BuildKitImage $engine $image

        $env:DOCKER_CONFIG = New-Context @{}
        $env:DOCKER_HOST = $engine.Address
        $name = 'shell-' + [guid]::NewGuid().ToString('n').Substring(0, 6)
        $context = New-Context @{ Dockerfile = "FROM scratch`nCOPY word /`n"; word = "$name" }
        function Get-Containers { Invoke-TestDocker $engine ps -a --format '{{.Names}} {{.State}}' --filter "name=buildx_buildkit_${name}0" }
        function Get-Volumes { Invoke-TestDocker $engine volume ls -q --filter "name=buildx_buildkit_${name}0_state" }
        $null = New-BuildKitBuilder $name -DriverOption "image=$image", network=host -Use
    }

    AfterAll {
        if (Get-BuildKitBuilder $name -NoStatus -ErrorAction Ignore) { Remove-BuildKitBuilder $name -Force -Confirm:$false }
        Disconnect-BuildKit
    }

    It 'is not there before the first build' {
        (Get-BuildKitBuilder $name).Nodes[0].Status | Should -Be 'Inactive'
        Get-Containers | Should -BeNullOrEmpty
        (Test-BuildKit $name -Name NodeStatus).Detail | Should -BeLike '*the first build creates and starts it*'
    }

    It 'is pulled, created and started by the first build, which uses it as the current one' {
        $out = Join-Path (Get-PSDrive TestDrive).Root first
        $lines = Invoke-BuildKitSolve $context -Output "type=local,dest=$out" -Progress Plain 6>&1
        "$lines" | Should -BeLike "*booting buildkit*pulling image $image*creating container buildx_buildkit_${name}0*"
        $lines[-1].Builder | Should -Be $name
        Get-Content $out/word | Should -Be $name
        Get-Containers | Should -Be "buildx_buildkit_${name}0 running"
        (Get-BuildKitBuilder $name).Nodes[0] | ForEach-Object { "$($_.Status) $($_.Version -like 'v*')" } | Should -Be 'Running True'
    }

    It 'is what docker buildx builds with' {
        $out = Join-Path (Get-PSDrive TestDrive).Root theirs
        & $buildx build --builder $name -q --output "type=local,dest=$out" $context 2>&1 | Out-Null
        $LASTEXITCODE | Should -Be 0
        Get-Content $out/word | Should -Be $name
        (& $buildx inspect $name) -like 'Status:*' | Should -BeLike '*running'
    }

    It 'is stopped and started, with its cache' {
        Stop-BuildKitBuilder $name
        Get-Containers | Should -Be "buildx_buildkit_${name}0 exited"
        (Get-BuildKitBuilder $name).Nodes[0].Status | Should -Be 'Stopped'
        (Start-BuildKitBuilder $name -PassThru).Nodes[0].Status | Should -Be 'Running'
        $steps = (Invoke-BuildKitSolve $context -Output "type=local,dest=$((Get-PSDrive TestDrive).Root)/again" -Progress None).Steps
        $steps.Where{ $_.Name -like '*COPY word*' }.Cached | Should -BeTrue
    }

    It 'is removed with its state kept, and finds it again' {
        Remove-BuildKitBuilder $name -KeepState -Confirm:$false
        Get-Containers | Should -BeNullOrEmpty
        Get-Volumes | Should -Be "buildx_buildkit_${name}0_state"
        $null = New-BuildKitBuilder $name -DriverOption "image=$image", network=host -Use
        $steps = (Invoke-BuildKitSolve $context -Output "type=local,dest=$((Get-PSDrive TestDrive).Root)/kept" -Progress None).Steps
        $steps.Where{ $_.Name -like '*COPY word*' }.Cached | Should -BeTrue
    }

    It 'is removed with its state' {
        Remove-BuildKitBuilder $name -Confirm:$false
        Get-Containers | Should -BeNullOrEmpty
        Get-Volumes | Should -BeNullOrEmpty
        & $buildx inspect $name 2>&1 | Out-String | Should -BeLike "*no builder*$name*"
    }

    It 'may be made by docker buildx' {
        & $buildx create --name $name --driver-opt "image=$image,network=host" --bootstrap 2>&1 | Out-Null
        $LASTEXITCODE | Should -Be 0
        (Invoke-BuildKitSolve $context -Builder $name -Tag "made-by-buildx:$name" -Load -LoadInto $engine.Address -Progress None).Outputs.LoadedNames | Should -BeLike "*made-by-buildx:$name"
        Remove-BuildKitBuilder $name -Confirm:$false
        Get-Containers | Should -BeNullOrEmpty
    }

    It 'that can''t be pulled is an error with the reference, and leaves nothing' {
        $missing = "$($registry.Address)/moby/nowhere:1"
        $null = New-BuildKitBuilder $name -DriverOption "image=$missing"
        Invoke-BuildKitSolve $context -Builder $name -Progress None -ErrorAction SilentlyContinue -ErrorVariable failure | Should -BeNullOrEmpty
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.*'
        "$($failure[0])" | Should -BeLike "*$missing*not found*"
        $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        Get-Containers | Should -BeNullOrEmpty
        Get-Volumes | Should -BeNullOrEmpty
    }
}
