BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28
    $because = $obstacle ? ", but: $obstacle" : ''
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe "The first build of the README$because" -Skip:([bool] $obstacle) {
    BeforeAll {
        $root = Split-Path (Get-Manifest)
        # An Engine without anything but what the sample begins with, found as docker finds it.
        $engine = Get-TestEngine docker28 -Private
        $null = Invoke-Engines image $engine.Name busybox:latest
        $env:DOCKER_HOST = $engine.Address
    }

    AfterEach { Invoke-TestDocker $engine rmi hello:1 }

    AfterAll {
        Disconnect-BuildKit
        Reset-Environment
        Remove-TestEngine $engine
    }

    It 'is made by the module' {
        $result = Invoke-BuildKitSolve $root/samples/hello -Builder (Connect-BuildKit) -Tag hello:1 -Progress None
        $result.Tags | Should -Be 'docker.io/library/hello:1'
        Invoke-TestDocker $engine run --rm --network none hello:1 | Should -BeExactly 'HELLO FROM BUILDKIT FOR POWERSHELL'
    }

    It 'is made by the sample without PowerShell' {
        $program = Get-ChildItem $root/samples/HelloSolve/bin -Recurse -Filter HelloSolve.dll | Sort-Object LastWriteTime | Select-Object -Last 1
        $lines = dotnet $program $root/samples/hello 2>&1 | Out-String
        $LASTEXITCODE | Should -Be 0 -Because $lines
        $lines | Should -Match '(?m)^tags +docker.io/library/hello:1'
        Invoke-TestDocker $engine run --rm --network none hello:1 | Should -BeExactly 'HELLO FROM BUILDKIT FOR POWERSHELL'
    }
}
