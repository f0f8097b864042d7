BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $engines = Get-EngineCase 'docker28', 'buildkitd'
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe '-AsJob on <Kind>' -ForEach $engines {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $engine = Get-TestEngine $Kind
            $marker = Get-Random
            $context = New-Context @{
                Dockerfile         = "FROM $($engine.BaseImage) as base`nRUN echo hello from the job`n"
                'bad.Dockerfile'   = "FROM $($engine.BaseImage)`nRUN echo on the way; exit 5`n"
                'sleep.Dockerfile' = "FROM $($engine.BaseImage)`nRUN echo started; sleep $marker`n"
            }
            $common = @{ Builder = $engine.Address; NoCache = $true; AsJob = $true; Output = 'type=cacheonly' }
            $withoutBuilder = @{ NoCache = $true; AsJob = $true; Output = 'type=cacheonly' }
        }

        AfterEach { Get-Job | Where-Object PSJobTypeName -EQ BuildKitSolve | Remove-Job -Force }

        It 'returns a job at once, which ends with the result, its lines and its warnings' {
            $job = Invoke-BuildKitSolve $context @common
            $job | Should -BeOfType ([Management.Automation.Job])
            $job.PSJobTypeName | Should -Be 'BuildKitSolve'
            $job.State | Should -BeIn 'Running', 'Completed'
            (Get-Job -Id $job.Id).InstanceId | Should -Be $job.InstanceId
            $result = $job | Wait-Job -Timeout 60 | Receive-Job -WarningVariable warnings -WarningAction SilentlyContinue -InformationVariable lines 6> $null
            $job.State | Should -Be 'Completed'
            $result | Should -BeOfType ([BuildKit.Solve.BuildKitSolveResult, BuildKit.Core])
            $result.Steps.Name | Should -Contain '[2/2] RUN echo hello from the job'
            "$lines" | Should -Match '#\d+ \d+\.\d+ hello from the job'
            $warnings.Message | Should -BeLike 'FromAsCasing:*'
            $job.Location | Should -Be $engine.Address
            $job.HasMoreData | Should -BeFalse
            $job.StatusMessage | Should -BeNullOrEmpty
            Remove-Job $job
            Get-Job -Id $job.Id -ErrorAction Ignore | Should -BeNullOrEmpty
        }

        It 'fails with the error that the cmdlet would have written' {
            $job = Invoke-BuildKitSolve $context -Dockerfile $context/bad.Dockerfile @common
            $null = Wait-Job $job -Timeout 60
            $job.State | Should -Be 'Failed'
            $null = Receive-Job $job -ErrorVariable failure -ErrorAction SilentlyContinue 6> $null
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.SolveFailed*'
            $failure[0].Exception.ExitCode | Should -Be 5
            $failure[0].Exception.Logs | Should -Contain 'on the way'
        }

        It 'stops on the daemon, and leaves no output (<_>)' -ForEach 'Stop-Job', 'Remove-Job -Force' {
            $job = Invoke-BuildKitSolve $context -Dockerfile $context/sleep.Dockerfile @common -Output "$context/out"
            Wait-Until { Get-SleepingStep $marker }
            $job.StatusMessage | Should -BeLike '*RUN echo started; sleep*'
            & ([scriptblock]::Create("`$args[0] | $_")) $job
            $job.State | Should -Be 'Stopped'
            Wait-Until { -not (Get-SleepingStep $marker) }
            Test-Path $context/out | Should -BeFalse
            if ($_ -eq 'Stop-Job') { $job.Error | Should -BeNullOrEmpty }
        }

        It 'makes a job of each context of a pipeline' {
            $folders = 1..3 | ForEach-Object { New-Context @{ Dockerfile = "FROM scratch`nCOPY . /`n"; "file$_" = "$_" } }
            $jobs = $folders | Get-Item | Invoke-BuildKitSolve -Builder $engine.Address -AsJob -Output type=cacheonly -Progress None
            $jobs | Should -HaveCount 3
            $jobs.Command | Should -Be $folders.ForEach{ "Invoke-BuildKitSolve $_" }
            $results = $jobs | Wait-Job -Timeout 60 | Receive-Job
            $results.Ref | Select-Object -Unique | Should -HaveCount 3
        }

        It 'has the name of its builder as the location, however that was given' {
            $server = Get-BuildKitServer $engine.Address
            $job = Invoke-BuildKitSolve $context -Builder $server @withoutBuilder
            $job.Location | Should -Be $server.Name
            "$(Connect-BuildKit $engine.Address)" | Should -Be $server.Name
        }

        It 'keeps what was typed out of sight' {
            $job = Invoke-BuildKitSolve $context -BuildArg @{ TOKEN = 'open sesame' } -Tag app:1 @common
            $job.Command | Should -Be "Invoke-BuildKitSolve $context -Tag app:1"
        }

        It 'goes on when the module is removed' {
            Invoke-NewShell "Import-Module '$(Get-Manifest)'
                `$job = Invoke-BuildKitSolve '$context' -Dockerfile 'FROM $($engine.BaseImage)
                RUN sleep 2' -NoCache -Builder $($engine.Address) -Output type=cacheonly -AsJob
                Start-Sleep 0.5; Remove-Module BuildKit; (`$job | Wait-Job | Receive-Job 6> `$null).Steps.Count; `$job.State" |
                Select-Object -Last 1 | Should -Be 'Completed'
        }
    }

    Context 'that is not there' {
        It 'fails with the way out' {
            $job = Invoke-BuildKitSolve TestDrive:/ -Dockerfile 'FROM scratch' -Builder unix:///nowhere.sock -AsJob
            $null = Wait-Job $job -Timeout 60
            $job.State | Should -Be 'Failed'
            $job.Error[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.*'
            $job.Error[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
            Remove-Job $job
        }
    }
}

Describe 'A job that nobody receives' -Skip:([bool] $engines[0].Obstacle) {
    It 'keeps the newest lines alone, and says how many went' {
        $engine = Get-TestEngine docker28
        $context = New-Context @{ Dockerfile = "FROM $($engine.BaseImage)`nRUN seq 1 20000`n" }
        $before = [GC]::GetTotalMemory($true)
        $job = Invoke-BuildKitSolve $context -Builder $engine.Address -AsJob -NoCache -Output type=cacheonly
        $null = Wait-Job $job -Timeout 60
        $job.State | Should -Be 'Completed'
        ([GC]::GetTotalMemory($true) - $before) | Should -BeLessThan 20MB
        $null = Receive-Job $job -InformationVariable lines 6> $null
        $lines.Count | Should -BeLessOrEqual 4097
        "$($lines[0])" | Should -Match '^\[\d{5} lines were dropped here'
        "$lines" | Should -Match ' 20000'
        Remove-Job $job
    }
}

AfterAll { Disconnect-BuildKit }
