BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28, buildkitd
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'Many builds at once' -Skip:([bool] $obstacle) {
    BeforeAll {
        $docker = Get-TestEngine docker28
        $buildkitd = Get-TestEngine buildkitd
        $marker = Get-Random -Minimum 100000 -Maximum 900000
        $context = New-Context @{ Dockerfile = "ARG BASE=scratch`nFROM `$BASE`nARG N SECONDS=0`nRUN echo `"I am <`$N>`" | tee /number && sleep `$SECONDS`n" }
        # One of twenty: the odd ones on the Engine, the even ones on the buildkitd, each with an output of its own.
        function Get-Arguments([int] $N, [string] $Seconds = '0') {
            $engine = $N % 2 ? $docker : $buildkitd
            @{
                Context = $context; Builder = $engine.Address; NoCache = $true; BuildArg = @{ BASE = $engine.BaseImage; N = $N; SECONDS = $Seconds }; Tag = "many:$N"
                Output = $N % 2 ? 'type=image' : "type=oci,dest=$context/$N.tar"
            }
        }
        function Assert-Right([int] $N, $Result, [string] $Lines) {
            $Result | Should -HaveCount 1
            $Result.Tags | Should -Be "docker.io/library/many:$N"
            # The step's name, the line and the file each say who it is.
            [regex]::Matches($Lines, 'I am <(\d+)>').ForEach{ $_.Groups[1].Value } | Select-Object -Unique | Should -Be "$N"
            if ($N % 2 -eq 0) { (tar -xOf "$context/$N.tar" index.json | ConvertFrom-Json).manifests[0].digest | Should -Be $Result.ImageDigest }
        }
    }

    It 'twenty jobs over two daemons give each its own result, lines and output' {
        $jobs = 1..20 | ForEach-Object { $arguments = Get-Arguments $_; Invoke-BuildKitSolve @arguments -AsJob }
        $null = $jobs | Wait-Job -Timeout 120
        $jobs.State | Select-Object -Unique | Should -Be 'Completed'
        $results = foreach ($n in 1..20) {
            $result = Receive-Job $jobs[$n - 1] -InformationVariable lines 6> $null
            Assert-Right $n $result "$lines"
            $result
        }
        $results.Ref | Select-Object -Unique | Should -HaveCount 20
        $results.ImageDigest | Select-Object -Unique | Should -HaveCount 20
        $odd = 1..20 | Where-Object { $_ % 2 }
        Invoke-TestDocker $docker inspect -f '{{.Id}}' @($odd.ForEach{ "many:$_" }) | Should -Be $odd.ForEach{ $results[$_ - 1].ConfigDigest }
        $jobs | Remove-Job
    }

    It 'stopping half of them ends their steps on the daemons, and the others are right' {
        $stopped, $kept = (1..20).Where({ ($_ % 4) -lt 2 }, 'Split')
        # Twenty that run at the same time; the ones that are kept go on for a while.
        $jobs = foreach ($n in 1..20) { $arguments = Get-Arguments $n ($n -in $stopped ? "$marker$('{0:00}' -f $n)" : '4'); Invoke-BuildKitSolve @arguments -AsJob }
        Wait-Until { @(Get-SleepingStep $marker).Count -eq 10 }
        $jobs[$stopped.ForEach{ $_ - 1 }] | Stop-Job
        $jobs[$stopped.ForEach{ $_ - 1 }].State | Select-Object -Unique | Should -Be 'Stopped'
        Wait-Until { -not (Get-SleepingStep $marker) }
        Get-ChildItem $context -Force -Filter *.partial | Should -BeNullOrEmpty
        $null = $jobs | Wait-Job -Timeout 120
        foreach ($n in $kept) {
            $jobs[$n - 1].State | Should -Be 'Completed'
            Assert-Right $n (Receive-Job $jobs[$n - 1] -InformationVariable lines 6> $null) "$lines"
        }
        $jobs | Remove-Job
    }

    It 'works in <Name>, whose runspaces share the connections' -ForEach @(
        @{ Name = 'ForEach-Object -Parallel'; Run = { $all | ForEach-Object -ThrottleLimit 6 -Parallel { Import-Module $using:manifest; $arguments = $_; Invoke-BuildKitSolve @arguments -Progress None } } }
        @{ Name = 'Start-ThreadJob'; Run = { $all | ForEach-Object { Start-ThreadJob -ThrottleLimit 6 { param($manifest, $arguments) Import-Module $manifest; Invoke-BuildKitSolve @arguments -Progress None } -ArgumentList $manifest, $_ } | Receive-Job -Wait -AutoRemoveJob } }
    ) {
        $manifest = Get-Manifest
        $all = 1..6 | ForEach-Object { Get-Arguments $_ }
        $results = . $Run
        $results | Should -HaveCount 6
        foreach ($result in $results) {
            $n = [int] ($result.Tags[0] -replace '.*:')
            $result.Provenance.Parameters.Args['build-arg:N'] | Should -Be "$n"
            if ($n % 2 -eq 0) { (tar -xOf "$context/$n.tar" index.json | ConvertFrom-Json).manifests[0].digest | Should -Be $result.ImageDigest }
        }
        $results.ImageDigest | Select-Object -Unique | Should -HaveCount 6
    }
}

AfterAll { Disconnect-BuildKit }
