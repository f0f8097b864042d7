BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle buildkitd, registry
    # The reason stands in the name of what is skipped.
    $obstacle = $obstacle ? ", but: $obstacle" : ''
}

Describe 'A builder with two nodes' {
    Context 'that are there<_>' -Skip:([bool] $obstacle) -ForEach @($obstacle) {
        BeforeAll {
            Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
            Import-Module (Get-Manifest)
            $store = Get-TestEngine registry
            $first, $second = (Get-TestEngine buildkitd), (Get-TestEngine buildkitd -Private)
            $env:DOCKER_CONFIG = (New-Item TestDrive:/config -ItemType Directory).FullName
            # Connections that are open already carry other names.
            Disconnect-BuildKit
            $buildx = Invoke-Engines path buildx
            $null = & $buildx create --name two --driver remote --node a --platform linux/amd64 $first.Address
            $null = New-BuildKitBuilder two $second.Address -NodeName b -Platform linux/arm64 -Append
            $context = New-Context @{ Dockerfile = "FROM scratch`nARG TARGETARCH`nCOPY hello-`$TARGETARCH /hello`n"; 'hello-amd64' = 'amd'; 'hello-arm64' = 'arm' }
            $platforms = 'linux/amd64', 'linux/arm64'
            function New-Name { "$($store.Address)/pester-nodes-$([guid]::NewGuid().ToString('n')):1" }
        }

        It 'joins what its nodes build into one index' {
            $name = New-Name
            $result = Invoke-BuildKitSolve $context -Builder two -Platform $platforms -Tag $name -Push -Progress None
            $result.Tags | Should -Be $name
            "$($result.Nodes)" | Should -Be 'a (linux/amd64) b (linux/arm64)'
            $result.Steps.Name | Should -Contain '[b linux/arm64 1/1] COPY hello-arm64 /hello'
            ($result | Format-List | Out-String) | Should -Match '(?m)^Nodes +: a \(linux/amd64\)\r?\n +b \(linux/arm64\)'

            $crane = Invoke-Engines path crane
            & $crane digest $name | Should -Be $result.ImageDigest
            $index = & $crane manifest $name | ConvertFrom-Json
            ($index.manifests.platform | Where-Object os -NE unknown | ForEach-Object { "$($_.os)/$($_.architecture)" }) | Should -Be $platforms
            foreach ($node in $result.Nodes) { $index.manifests.digest | Should -Contain $node.ManifestDigests[$node.Platforms[0]] }
        }

        It 'is shown with its nodes' {
            (Get-BuildKitServer two).Node | Should -Be 'a', 'b'
            (Get-BuildKitServer two | ForEach-Object { $_.Address }) | Should -Be $first.Address, $second.Address
            (Get-BuildKitWorker two).Node | Should -Be 'a', 'b'
        }

        It 'has connections of its own, which are closed by builder, node and server' {
            Disconnect-BuildKit
            # Of one daemon by its address, and as a node: results and activity are of what was named.
            $null = Connect-BuildKit $first.Address
            $context = New-Context @{ Dockerfile = "FROM scratch`nCOPY Dockerfile /" }
            (Invoke-BuildKitSolve $context -Builder two -Platform linux/amd64 -Output type=cacheonly -Progress None).Builder | Should -Be 'two'
            $null = Get-BuildKitServer two

            $a, $b = (Get-BuildKitBuilder two -NoStatus).Nodes | ForEach-Object { Connect-BuildKit $_ }
            (Get-BuildKitBuilder two -NoStatus).Nodes[1] | Disconnect-BuildKit
            { Get-BuildKitServer $b -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ConnectionClosed,*'
            (Get-BuildKitServer $a).Node | Should -Be 'a'
            Get-BuildKitServer $a | Disconnect-BuildKit
            { Get-BuildKitServer $a -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ConnectionClosed,*'

            $a, $b = (Get-BuildKitBuilder two -NoStatus).Nodes | ForEach-Object { Connect-BuildKit $_ }
            Disconnect-BuildKit two
            foreach ($connection in $a, $b) { { Get-BuildKitServer $connection -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ConnectionClosed,*' }
            (Get-BuildKitServer $first.Address).Name | Should -Be $first.Address
            Disconnect-BuildKit two -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.NotConnected,*'
        }

        It 'has nodes that are tested one by one' {
            $checks = (Get-BuildKitBuilder two -NoStatus).Nodes[1] | Test-BuildKit -Name Connection -TimeoutSec 60
            "$($checks.Status) $($checks.Builder) $($checks.Node)" | Should -Be 'Pass two b'
        }

        It 'builds in a job too' {
            $name = New-Name
            $result = Invoke-BuildKitSolve $context -Builder two -Platform $platforms -Tag $name -Push -AsJob -Progress None | Receive-Job -Wait -AutoRemoveJob
            $result.Nodes.Name | Should -Be 'a', 'b'
        }

        It 'names the steps by their nodes as they go' {
            $lines = Invoke-BuildKitSolve $context -Builder two -Platform $platforms -Output type=cacheonly -Progress Plain 6>&1 | Out-String
            $lines | Should -BeLike '*`[a linux/amd64 1/1`] COPY*'
            $lines | Should -BeLike '*`[b linux/arm64 1/1`] COPY*'
        }

        It 'refuses what it cannot join, with a way out' {
            $null = Invoke-BuildKitSolve $context -Builder two -Platform $platforms -Output type=oci,dest=TestDrive:/x.tar -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.NodesOutputNotSupported,*'
            $failure[0].CategoryInfo.Category | Should -Be NotImplemented
            $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Push*'
        }

        It 'names the node that is gone, and shows the other' {
            Stop-TestEngine $second
            Disconnect-BuildKit
            try {
                $null = Invoke-BuildKitSolve $context -Builder two -Platform $platforms -Tag (New-Name) -Push -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue
                "$failure" | Should -BeLike "Node 'b': *"
                $failure[0].CategoryInfo.Category | Should -Be ConnectionError
                (Get-BuildKitServer two -ErrorVariable failure -ErrorAction SilentlyContinue).Node | Should -Be 'a'
                "$failure" | Should -BeLike "Node 'b': *"
                (Invoke-BuildKitSolve $context -Builder two -Platform linux/amd64 -Output type=cacheonly -Progress None).Nodes | Should -BeNullOrEmpty
            }
            finally { Restart-TestEngine $second }
        }

        AfterAll {
            Reset-Environment
            Disconnect-BuildKit
            Remove-TestEngine $second
        }
    }
}
