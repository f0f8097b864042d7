BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $engines = Get-EngineCase 'docker28', 'buildkitd'
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'Stopping a build on <Kind>' -ForEach $engines {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $engine = Get-TestEngine $Kind
            $marker = Get-Random
            $context = New-Context @{ Dockerfile = "FROM $($engine.BaseImage)`nRUN echo started; sleep $marker`n" }
            $build = "Invoke-BuildKitSolve '$context' -Builder $($engine.Address) -NoCache"
        }

        It 'returns at once, ends the step on the daemon, and leaves no output (-Progress <_>)' -ForEach 'Plain', 'Tty' {
            $run = Start-Shell "$build -Progress $_ -Output '$context/out'"
            Wait-Until { Get-SleepingStep $marker }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $run.Shell.Stop()
            $watch.Elapsed.TotalSeconds | Should -BeLessThan 30
            $run.Shell.InvocationStateInfo.State | Should -Be 'Stopped'
            Wait-Until { -not (Get-SleepingStep $marker) }
            Test-Path $context/out | Should -BeFalse
        }

        It 'stops a build whose warning ends the pipeline' {
            $dockerfile = (Get-Content $context/Dockerfile -Raw) -replace 'FROM (\S+)', 'FROM $1 as base'
            $run = Start-Shell "$build -Dockerfile `$dockerfile -Output type=cacheonly -Progress Quiet -WarningAction Stop" @{ dockerfile = $dockerfile }
            { $run.Shell.EndInvoke($run.Result) } | Should -Throw '*FromAsCasing*'
            Wait-Until { -not (Get-SleepingStep $marker) }
        }
    }
}

Describe 'Stopping a question' {
    It 'returns at once from a connection that does not answer' {
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        try {
            $run = Start-Shell "Get-BuildKitServer tcp://127.0.0.1:$($listener.LocalEndpoint.Port)"
            Wait-Until { $listener.Pending() }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $run.Shell.Stop()
            $watch.Elapsed.TotalSeconds | Should -BeLessThan 30
        }
        finally { $listener.Stop() }
    }
}
