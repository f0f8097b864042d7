BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28-containerd
    $because = $obstacle ? ", but: $obstacle" : ''
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'Build contexts<Because>' -Skip:([bool] $obstacle) -ForEach @{ Because = $because } {
    BeforeAll {
        $engine = Get-TestEngine docker28-containerd
        $common = @{ Builder = (Connect-BuildKit $engine.Address); Progress = 'None' }
        $context = New-Context @{ 'extra/word' = 'from a folder'; Dockerfile = "FROM scratch`nCOPY --from=extra word /word`n" }
        Push-Location $context
    }

    AfterAll {
        Pop-Location
    }

    It 'are folders relative to the current location, as text and as objects' {
        foreach ($folder in 'extra', './extra', (Get-Item extra)) {
            $result = Invoke-BuildKitSolve . -BuildContext @{ extra = $folder } -Output type=local,dest=out @common
            Get-Content "$($result.Outputs[0].Destination)/word" | Should -Be 'from a folder'
        }
    }

    It 'are OCI layouts relative to the current location' {
        $null = Invoke-BuildKitSolve . -BuildContext @{ extra = 'extra' } -Tag made:1 -Output 'type=oci,tar=false,dest=layout' @common
        foreach ($layout in 'oci-layout://layout:1', 'oci-layout://./layout', "oci-layout://$context/layout:1") {
            $result = Invoke-BuildKitSolve . -Dockerfile "FROM made`n" -BuildContext @{ made = $layout } -Output type=local,dest=copied @common
            Get-Content "$($result.Outputs[0].Destination)/word" | Should -Be 'from a folder'
        }
    }

    It 'that do not exist are named' {
        $null = Invoke-BuildKitSolve . -BuildContext @{ extra = 'nowhere' } @common -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.ContextNotFound,*'
        "$($failure[0])" | Should -BeLike "*$(Join-Path $context nowhere)*"
    }

    It 'leave the Dockerfile to a web server' {
        $null = Invoke-BuildKitSolve . -Dockerfile http://127.0.0.1:9/Dockerfile @common -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.DockerfileNotFound,*'
        "$($failure[0])" | Should -BeLike '*can''t be fetched*'
    }
}
