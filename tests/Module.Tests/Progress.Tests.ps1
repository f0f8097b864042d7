BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'Progress' -Skip:([bool] $obstacle) {
    BeforeAll {
        $engine = Get-TestEngine docker28
        $context = New-Context @{ Dockerfile = "FROM $($engine.BaseImage) as base`nRUN for i in 1 2 3 4 5 6; do echo line`$i; sleep 0.2; done`n"; 'bad.Dockerfile' = "FROM $($engine.BaseImage)`nRUN exit 3`n" }
        $build = "Invoke-BuildKitSolve '$context' -Builder $($engine.Address) -NoCache"
        # Runs a build and gives what each of its streams got.
        function Get-Streams([string] $Arguments, [string] $Before = '') {
            $run = Start-Shell "$Before; $build $Arguments"
            $output = $run.Shell.EndInvoke($run.Result)
            [pscustomobject]@{ Output = $output; Streams = $run.Shell.Streams }
        }
    }

    It 'Plain writes lines to the information stream, and the result alone to the output' {
        $run = Get-Streams '-Progress Plain'
        $run.Output | Should -BeOfType ([BuildKit.Solve.BuildKitSolveResult, BuildKit.Core])
        $lines = $run.Streams.Information.ForEach{ "$_" }
        $lines[0] | Should -Be '#1 [internal] load build definition from Dockerfile'
        $lines -match '^#\d+ \d+\.\d{3} line1$' | Should -HaveCount 1
        $lines -match '^#\d+ DONE \d+\.\ds$' | Should -Not -BeNullOrEmpty
        $run.Streams.Progress | Should -BeNullOrEmpty
    }

    It 'Tty shows bars, and takes them all away' -ForEach @{ Name = 'done'; Arguments = '' }, @{ Name = 'failed'; Arguments = "-Dockerfile '{0}/bad.Dockerfile'" } {
        $bars = (Get-Streams ("-Progress Tty " + ($Arguments -f $context))).Streams.Progress
        $bars | Should -Not -BeNullOrEmpty
        $open = $bars | Group-Object ActivityId | Where-Object { $_.Group[-1].RecordType -ne 'Completed' }
        $open | Should -BeNullOrEmpty
        $whole = $bars | Group-Object ParentActivityId | Where-Object Name -EQ '-1'
        $whole.Group.ActivityId | Select-Object -Unique | Should -HaveCount 1
        $bars.Where{ $_.ActivityId -ne $whole.Group[0].ActivityId }.ParentActivityId | Select-Object -Unique | Should -Be $whole.Group[0].ActivityId
        if ($Name -eq 'done') { $bars.Where{ $_.Activity -like '*RUN for*' }.CurrentOperation -match '^line\d$' | Should -Not -BeNullOrEmpty }
    }

    It 'Quiet shows warnings alone' {
        $streams = (Get-Streams '-Progress Quiet').Streams
        $streams.Warning.Message | Should -BeLike 'FromAsCasing:*'
        $streams.Information.Count + $streams.Progress.Count | Should -Be 0
    }

    It 'None shows nothing; the result has the warnings' {
        $run = Get-Streams '-Progress None'
        $run.Streams.Warning.Count + $run.Streams.Information.Count + $run.Streams.Progress.Count | Should -Be 0
        $run.Output.Warnings.Short | Should -BeLike 'FromAsCasing:*'
    }

    It 'Auto is Plain where nobody watches, and what BUILDKIT_PROGRESS says' {
        (Get-Streams '').Streams.Information | Should -Not -BeNullOrEmpty
        try { (Get-Streams '' '$env:BUILDKIT_PROGRESS = "quiet"').Streams.Information | Should -BeNullOrEmpty }
        finally { $env:BUILDKIT_PROGRESS = $null }
    }

    It 'goes to a redirected shell in lines' {
        $lines = Invoke-NewShell "Import-Module '$(Get-Manifest)'; `$null = $build"
        "$($lines -match 'line6')" | Should -Match '^#\d+ \d+\.\d{3} line6$'
    }
}
