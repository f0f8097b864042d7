BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $engines = Get-EngineCase 'docker28', 'docker28-containerd', 'docker26', 'docker26-containerd', 'docker20', 'buildkitd'
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'The outputs of <Kind>' -ForEach $engines {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $engine = Get-TestEngine $Kind
            $builder = Connect-BuildKit $engine.Address
        }

        It 'are known without asking, with the way out where there is none' {
            $exporters = Get-BuildKitExporter -Builder $builder
            $exporters | Should -BeOfType ([BuildKit.Solve.BuildKitExporter, BuildKit.Core])
            $exporters.Builder | Select-Object -Unique | Should -Be $builder.Name
            $exporters.Where{ $null -ne $_.Probed } | Should -BeNullOrEmpty
            foreach ($exporter in $exporters) {
                [bool] $exporter.Recommendation | Should -Be (-not $exporter.Supported)
                [bool] $exporter.Reason | Should -Be (-not $exporter.Supported)
                $exporter.Example | Should -BeLike "Invoke-BuildKitSolve *type=$($exporter.Name)*"
            }
            $image = $exporters.Where{ $_.Name -eq 'image' }
            $image.WireName | Should -Be ($Kind -eq 'buildkitd' ? 'image' : 'moby')
            $image.LoadsIntoDocker | Should -Be ($Kind -ne 'buildkitd')
        }

        It 'are what a build is told of' {
            $oci = Get-BuildKitExporter oci -Builder $builder | Where-Object Destination -EQ 'File'
            $null = Invoke-BuildKitSolve (New-Context @{ Dockerfile = "FROM scratch`nCOPY Dockerfile /`n" }) -Output type=oci,dest=TestDrive:/image.tar -Builder $builder -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue
            Test-Path TestDrive:/image.tar | Should -Be $oci.Supported
            if (-not $oci.Supported) {
                $failure[0].Exception.Message | Should -BeLike "*$($oci.Reason)*"
                $failure[0].ErrorDetails.RecommendedAction | Should -Be $oci.Recommendation
            }
            Remove-Item TestDrive:/image.tar -ErrorAction Ignore
        }
    }
}

Describe 'Get-BuildKitExporter' {
    BeforeDiscovery {
        $obstacle = Get-TestEngineObstacle buildkitd
        $withoutDocker = Get-TestEngineObstacle docker28
    }

    Context 'on a Docker Engine that is asked' -Skip:([bool] $withoutDocker) {
        It 'gives what the table says' {
            $exporters = Connect-BuildKit (Get-TestEngine docker28).Address | Get-BuildKitExporter -Probe
            foreach ($exporter in $exporters) {
                "$($exporter.Name) $($exporter.Destination): $($exporter.Probed)" | Should -Be "$($exporter.Name) $($exporter.Destination): $($exporter.Supported)"
                if (-not $exporter.Supported) { $exporter.ProbeError | Should -BeLike '*could not be found*' }
            }
            $exporters.Name | Select-Object -Unique | Should -Be 'image', 'registry', 'docker', 'oci', 'local', 'tar', 'cacheonly'
        }
    }

    Context 'on a buildkitd' -Skip:([bool] $obstacle) {
        BeforeAll { $builder = Connect-BuildKit (Get-TestEngine buildkitd).Address }

        It 'takes names and wildcards' {
            (Get-BuildKitExporter -Builder $builder 'o*', local).Name | Select-Object -Unique | Should -Be 'oci', 'local'
            Get-BuildKitExporter -Builder $builder 'oci', 'o*' | Should -HaveCount 2
            (Get-BuildKitExporter -Builder $builder moby).WireName | Should -Be 'image'
            Get-BuildKitExporter -Builder $builder 'x*' | Should -BeNullOrEmpty
        }

        It 'says what there is where a name is wrong' {
            $null = Get-BuildKitExporter -Builder $builder ocy -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.OutputUnknown,*'
            $failure[0].ErrorDetails.RecommendedAction | Should -BeLike "Did you mean 'oci'? There are: image, *"
        }

        It 'lists the attributes as objects' {
            $attribute = (Get-BuildKitExporter -Builder $builder oci)[0].Attributes.Where{ $_.Name -eq 'compression' }
            $attribute.Type | Should -Be 'Enumeration'
            $attribute.Default | Should -Be 'gzip'
            $attribute.Since | Should -Be '0.7'
            $attribute.Values | Should -Be 'uncompressed', 'gzip', 'estargz', 'zstd'
            Get-BuildKitExporter -Builder $builder oci | Out-String | Should -BeLike '*oci*Layout*oci*True*'
        }
    }
}

Describe 'Completion of outputs' {
    It 'knows <Line>' -ForEach @(
        @{ Line = 'Invoke-BuildKitSolve . -Output type=l'; Values = "'type=local,dest='" }
        @{ Line = 'Invoke-BuildKitSolve . -Output type=d'; Values = 'type=docker', "'type=docker,dest='" }
        @{ Line = 'Invoke-BuildKitSolve . -Output type=local,'; Values = 'dest=', 'source-date-epoch=', 'platform-split=', 'attestation-prefix=', 'mode=' }
        @{ Line = 'Invoke-BuildKitSolve . -Output type=local,dest=x,p'; Values = 'platform-split=' }
        @{ Line = 'Invoke-BuildKitSolve . -Output type=oci,compression=z'; Values = 'compression=zstd' }
        @{ Line = 'Invoke-BuildKitSolve . -Output "type=oci,dest=x,ta'; Values = '"type=oci,dest=x,tar="' }
        @{ Line = "Invoke-BuildKitSolve . -Output 'type=oci,tar="; Values = "'type=oci,tar=true'", "'type=oci,tar=false'" }
        @{ Line = "Invoke-BuildKitSolve . -Output 'type=local,dest=a',type=o"; Values = "'type=oci,dest='" }
        @{ Line = 'Get-BuildKitExporter o'; Values = 'oci' }
    ) {
        Complete $Line | Should -Be $Values
    }
}

AfterAll { Disconnect-BuildKit }
