BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $engines = Get-EngineCase docker28, docker28-containerd -Also registry, registry-basic, tools
    $withoutBuildkitd = Get-TestEngineObstacle buildkitd
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $env:DOCKER_CONFIG = (New-Item TestDrive:/docker -ItemType Directory).FullName
}

Describe 'Receive-DockerImage on <Kind>' -ForEach $engines {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $engine = Get-TestEngine $Kind
            $registry = Get-TestEngine registry
            $repository = "receive-$Kind"
            $image = Invoke-Engines image $registry.Name "${repository}:1"
            $crane = Invoke-Engines path crane
            $to = @{ Builder = $engine.Address }
        }

        It 'gives the image with the digest that the registry has' {
            $result = Receive-DockerImage $image @to
            $result | Should -BeOfType ([BuildKit.Docker.ImagePullResult, BuildKit.Core])
            $result.Digest | Should -Be (& $crane digest --insecure $image)
            $result.Reference | Should -Be $image
            $result.Pulled | Should -BeTrue
            $result.Size | Should -BeGreaterThan 100000
            Invoke-TestDocker $engine inspect -f '{{.Id}}' $image | Should -Be $result.Id
            $result | Out-String -Width 100 | Should -Match "(?m)^$([regex]::Escape($image)).* True +$($result.Digest.Substring(0, 19))\r?$"
        }

        It 'takes names, objects and what it gave itself from the pipeline, and goes on after one that fails' {
            $results = $image, "$($registry.Address)/${repository}:none", [pscustomobject]@{ Image = $image } | Receive-DockerImage @to -ErrorVariable failure -ErrorAction SilentlyContinue
            $results.Reference | Should -Be $image, $image
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.ImageNotFoundInRegistry,*'
            $failure[0].CategoryInfo.Category | Should -Be ObjectNotFound
            $failure[0].TargetObject | Should -Be "$($registry.Address)/${repository}:none"
            "$($failure[0])" | Should -BeLike "*'$($registry.Address)/${repository}:none': *not found*"
            $failure[0].ErrorDetails.RecommendedAction | Should -BeLike "*docker login $($registry.Address)*"
            ($results[0] | Receive-DockerImage @to -PullPolicy Never).Pulled | Should -BeFalse
            (Receive-DockerImage $image, "$($registry.Address)/${repository}@$($results[0].Digest)" @to).Digest | Select-Object -Unique | Should -Be $results[0].Digest
        }

        It 'does what -PullPolicy and -WhatIf say' {
            $absent = "127.0.0.1:9/${repository}:absent"
            { Receive-DockerImage $absent @to -PullPolicy Never -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ImageNotFound,*'
            { Receive-DockerImage $absent @to -PullPolicy Missing -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.RegistryUnreachable,*'
            Receive-DockerImage $absent @to -WhatIf | Should -BeNullOrEmpty
            $local = "127.0.0.1:9/${repository}:local"
            Invoke-TestDocker $engine tag $engine.BaseImage $local
            (Receive-DockerImage $local @to -PullPolicy Missing).Pulled | Should -BeFalse
            { Receive-DockerImage $local @to -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.RegistryUnreachable,*'
            $result = Receive-DockerImage $local @to -PullPolicy Newer -WarningVariable warning -WarningAction SilentlyContinue
            $result.Pulled | Should -BeFalse
            "$warning" | Should -BeLike '*connection refused*local image is used*'
            $result.Warning | Should -Be "$warning"
            { Receive-DockerImage $local @to -PullPolicy Sometimes } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        }

        It 'takes the platform from -Platform or DOCKER_DEFAULT_PLATFORM, and no image of another' {
            { Receive-DockerImage $image @to -Platform nonsense -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.InvalidPlatform,*'
            $arm = "$($registry.Address)/${repository}:arm"
            $null = & $crane mutate --insecure $image --set-platform linux/arm64 -t $arm 2>&1
            (Receive-DockerImage $arm @to -Platform linux/arm64).Pulled | Should -BeTrue
            $env:DOCKER_DEFAULT_PLATFORM = 'linux/arm64'
            try { (Receive-DockerImage $arm @to).Pulled | Should -BeTrue }
            finally { $env:DOCKER_DEFAULT_PLATFORM = $null }
        }

        It 'tells of a damaged blob' {
            $damaged = "$($registry.Address)/${repository}:damaged"
            Set-Content TestDrive:/file (Get-Random)
            tar -C (Get-Item TestDrive:/).FullName -czf "$((Get-Item TestDrive:/).FullName)/layer.tgz" file
            $null = & $crane append --insecure -f "$((Get-Item TestDrive:/).FullName)/layer.tgz" -t $damaged 2>&1
            $hex = (& $crane manifest --insecure $damaged | ConvertFrom-Json).layers[0].digest -replace 'sha256:'
            [IO.File]::WriteAllBytes("$($registry.Folder)/data/docker/registry/v2/blobs/sha256/$($hex.Substring(0, 2))/$hex/data", [byte[]](1, 2, 3))
            $null = Receive-DockerImage $damaged @to -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.ImageCorrupt,*'
            "$($failure[0])" | Should -BeLike "*'$damaged'*"
            { Receive-DockerImage $damaged @to -PullPolicy Never -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ImageNotFound,*'
        }

        It 'shows bars, and takes them all away' {
            foreach ($name in $image, "$($registry.Address)/${repository}:none") {
                $run = Start-Shell "Receive-DockerImage $name -Builder $($engine.Address) -ErrorAction SilentlyContinue"
                $null = $run.Shell.EndInvoke($run.Result)
                $bars = $run.Shell.Streams.Progress
                $bars | Group-Object ActivityId | Where-Object { $_.Group[-1].RecordType -ne 'Completed' } | Should -BeNullOrEmpty
                $whole = $bars.Where{ $_.ParentActivityId -eq -1 }
                # A pull that is refused at once has nothing to show.
                if ($name -eq $image -or $whole) { $whole.Activity | Select-Object -Unique | Should -Be "Pulling $name" }
            }
        }

        It 'returns at once when it is stopped' {
            $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
            $listener.Start()
            try {
                $run = Start-Shell "Receive-DockerImage 127.0.0.1:$($listener.LocalEndpoint.Port)/app:1 -Builder $($engine.Address)"
                Wait-Until { $listener.Pending() }
                $watch = [Diagnostics.Stopwatch]::StartNew()
                $run.Shell.Stop()
                $watch.Elapsed.TotalSeconds | Should -BeLessThan 30
                $run.Shell.InvocationStateInfo.State | Should -Be 'Stopped'
            }
            finally { $listener.Stop() }
        }

        It 'asks the registry with the login of the docker config, and shows it nowhere' {
            $closed = Get-TestEngine registry-basic
            $passwords = 're4der-Geheim-Passw0rd', 'wr0ng-Geheim-Passw0rd'
            $secrets = $passwords + $passwords.ForEach{ [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("reader:$_")) }
            foreach ($password in $passwords + '') {
                $auths = $password ? @{ $closed.Address = @{ username = 'reader'; password = $password } } : @{}
                Set-Content "$env:DOCKER_CONFIG/config.json" (@{ auths = $auths } | ConvertTo-Json -Depth 4)
                $output = Invoke-NewShell "
                    Import-Module '$(Get-Manifest)'
                    Receive-DockerImage $($closed.BaseImage) -Builder $($engine.Address) -Verbose -Debug *>&1 | Format-List * -Force | Out-String -Width 4096
                    `$Error | ForEach-Object { `$_ | Get-Error | Out-String -Width 4096; `"`$(`$_.Exception)`"; `$_.ErrorDetails.RecommendedAction }" | Out-String
                $secrets.Where{ $output.Contains($_) } | Should -BeNullOrEmpty
                $output | Should -BeLike ($password -eq $passwords[0] ? '*Digest*sha256:*' : "*BuildKit.RegistryDenied*docker login $($closed.Address)*")
            }
            Remove-Item "$env:DOCKER_CONFIG/config.json"
        }

        It 'finds the Engine that docker would use, also where BUILDKIT_HOST leads elsewhere' {
            $env:BUILDKIT_HOST = 'tcp://127.0.0.1:9'
            $env:DOCKER_HOST = $engine.Address
            try {
                $messages = Receive-DockerImage $image -Verbose 4>&1
                $messages.Where{ $_ -is [Management.Automation.VerboseRecord] }.Message | Should -Contain "Builder: $($engine.Address), chosen by `$env:DOCKER_HOST."
                $messages[-1].Pulled | Should -BeTrue
            }
            finally { $env:BUILDKIT_HOST = $env:DOCKER_HOST = $null }
        }
    }
}

Describe 'Receive-DockerImage' {
    It 'refuses a buildkitd, which has no images' -Skip:([bool] $withoutBuildkitd) {
        $null = Receive-DockerImage app -Builder (Get-TestEngine buildkitd).Address -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.EngineRequired,*'
        $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*Docker Engine*'
    }

    It 'completes policies and platforms' {
        Complete 'Receive-DockerImage a -PullPolicy ' | Should -Be 'Always', 'Missing', 'Never', 'Newer'
        Complete 'Receive-DockerImage a -Platform linux/arm6' | Should -Be 'linux/arm64'
    }
}

AfterAll { Disconnect-BuildKit }
