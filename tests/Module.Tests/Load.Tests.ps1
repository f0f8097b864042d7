BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle buildkitd, docker28, docker28-containerd
    # The reason stands in the name of what is skipped.
    $because = $obstacle ? ", but: $obstacle" : ''
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'An image of a buildkitd<Because>' -ForEach @{ Because = $because; Obstacle = $obstacle } {
    Context 'that Engines load' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $context = New-Context @{ Dockerfile = "FROM scratch`nCOPY word /`n"; word = "$(Get-Random)" }
            $builder = Get-TestEngine buildkitd
            $engine = Get-TestEngine docker28
            $common = @{ Builder = $builder.Address; Progress = 'None' }
        }

        BeforeEach { Reset-Environment }

        It 'goes into the one that -LoadInto names, as <Name>' -ForEach @(
            @{ Name = 'an address'; Into = { $engine.Address } }
            @{ Name = 'a connection'; Into = { Connect-BuildKit $engine.Address } }
        ) {
            $tag = "load-$(Get-Random):1"
            $result = Invoke-BuildKitSolve $context -Tag $tag -Load -LoadInto (. $Into) @common
            $result.Outputs[0].Type | Should -Be 'docker'
            $result.Outputs[0].LoadedInto | Should -Be $engine.Address
            $result.Outputs[0].LoadedNames | Should -Be $tag
            $result.Outputs[0].Size | Should -BeGreaterThan 1024
            Invoke-TestDocker $engine image inspect -f '{{.Id}}' $tag | Should -Be $result.ConfigDigest
            $result | Out-String -Width 300 | Should -BeLike "*docker loaded into $($engine.Address)*"
            $result.Outputs | Out-String -Width 300 | Should -BeLike "*$tag in $($engine.Address)*"
        }

        It 'goes into the one that docker would talk to, whatever $env:BUILDKIT_HOST says' {
            $tag = "load-$(Get-Random):1"
            $env:BUILDKIT_HOST = $builder.Address
            $env:DOCKER_HOST = $engine.Address
            (Invoke-BuildKitSolve $context -Tag $tag -Output type=docker -Progress None).Outputs[0].LoadedNames | Should -Be $tag
            Invoke-TestDocker $engine image inspect $tag | Should -Not -BeNullOrEmpty
        }

        It 'goes into the docker context that the output or -LoadInto names' {
            $id = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes('near'))).ToLowerInvariant()
            $env:DOCKER_CONFIG = New-Context @{ "contexts/meta/$id/meta.json" = "{`"Name`":`"near`",`"Endpoints`":{`"docker`":{`"Host`":`"$($engine.Address)`"}}}" }
            $tag = "load-$(Get-Random):1"
            (Invoke-BuildKitSolve $context -Tag $tag -Output type=docker,context=near @common).Outputs[0].LoadedInto | Should -Be 'near'
            Invoke-TestDocker $engine image inspect $tag | Should -Not -BeNullOrEmpty
            (Invoke-BuildKitSolve $context -Tag $tag -Load -LoadInto near @common).Outputs[0].LoadedNames | Should -Be $tag
        }

        It 'goes into a containerd store for several platforms at once' {
            $other = Get-TestEngine docker28-containerd
            $tag = "load-$(Get-Random):1"
            $result = Invoke-BuildKitSolve $context -Tag $tag -Load -LoadInto $other.Address -Platform linux/amd64, linux/arm64 @common
            Invoke-TestDocker $other image ls --tree $tag | Out-String | Should -Match '(?s)linux/amd64.*linux/arm64'
            $result.ImageDigest | Should -Be (Invoke-TestDocker $other image inspect -f '{{.Id}}' $tag)
        }

        It 'is shown while the Engine imports it' {
            $lines = Invoke-BuildKitSolve $context -Load -LoadInto $engine.Address -Tag "load-$(Get-Random):1" -Builder $builder.Address -Progress Plain -NoCache 6>&1 | Out-String
            $lines | Should -Match '#\d+ importing to docker'
            $lines | Should -Match '#\d+ DONE'
        }

        It 'needs an Engine, and says so' {
            $env:DOCKER_HOST = 'unix:///nowhere.sock'
            Invoke-BuildKitSolve $context -Load @common -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.LoadEngineNotFound,*'
            $failure[0].Exception.Message | Should -BeLike '*needs no Docker Engine*$env:DOCKER_HOST*'
            $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*-LoadInto*-Output type=oci*'
        }

        It 'is gone everywhere when the pipeline is stopped in its midst' {
            $large = New-Context @{ Dockerfile = "FROM scratch`nLABEL stopped=$(($marker = Get-Random))`nCOPY large /`n" }
            $random = [byte[]]::new(64mb)
            [Random]::new(2).NextBytes($random)
            [IO.File]::WriteAllBytes("$large/large", $random)
            # So that the rest of the build takes no time.
            $null = Invoke-BuildKitSolve $large -Output type=cacheonly @common
            $run = Start-Shell "Invoke-BuildKitSolve '$large' -Builder $($builder.Address) -Load -LoadInto $($engine.Address) -Tag stopped:$marker -Progress Plain"
            Wait-Until { $run.Shell.Streams.Information.Where{ "$_" -like '*sending tarball*' } }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $run.Shell.Stop()
            $watch.Elapsed.TotalSeconds | Should -BeLessThan 30
            # What the Engine goes on with is done by the time that it has taken another image.
            $null = Invoke-BuildKitSolve $context -Load -LoadInto $engine.Address -Tag "load-$(Get-Random):1" @common
            Invoke-TestDocker $engine images -aq --filter "label=stopped=$marker" | Should -BeNullOrEmpty
        }
    }
}

AfterAll { Disconnect-BuildKit }
