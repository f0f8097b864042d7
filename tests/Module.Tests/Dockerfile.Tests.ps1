BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $engines = Get-EngineCase docker28, docker28-containerd, buildkitd, buildkitd-tls
    $old = Get-EngineCase docker26, docker20
    $obstacle = Get-TestEngineObstacle docker28
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)

    function New-StagesContext([string] $BaseImage) {
        New-Context @{
            Dockerfile = @"
ARG BASE=$BaseImage
# build makes the greeting
FROM `${BASE} AS build
# WHO is greeted
ARG WHO=nobody
ENV GREETING hello
RUN --mount=type=secret,id=word,required=true --mount=type=ssh echo "`$GREETING `$WHO" > /greeting
FROM `${BASE}
COPY --from=build /greeting /
CMD cat /greeting
"@
        }
    }
}

Describe 'Questions about a Dockerfile to <Kind>' -ForEach $engines {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $builder = Connect-TestEngine (Get-TestEngine $Kind)
            $context = New-StagesContext (Get-TestEngine $Kind).BaseImage
        }

        It 'are answered with findings' {
            $findings = Test-Dockerfile $context -Builder $builder
            $findings | Should -BeOfType ([BuildKit.Dockerfile.DockerfileLintWarning, BuildKit.Core])
            $findings | ForEach-Object { '{0} {1}' -f $_.Line, $_.RuleName } | Should -Be '6 LegacyKeyValueFormat', '10 JSONArgsRecommended'
            $findings.File | Should -Be (Join-Path $context Dockerfile), (Join-Path $context Dockerfile)
            $findings[0].Url | Should -BeLike 'https://*/legacy-key-value-format/'
            $findings[0].Excerpt | Should -BeLike "Dockerfile:6`n*>>> ENV GREETING hello`n*"
            $findings[0].Ranges[0].EndLine | Should -Be 6
        }

        It 'are answered with stages' {
            $stages = Get-DockerfileTarget $context -Builder $builder
            $stages.Name | Should -Be 'build', ''
            $stages.Default | Should -Be $false, $true
            $stages[0].Description | Should -Be 'makes the greeting'
            $stages.Line | Should -Be 3, 8
        }

        It 'are answered with what a stage takes' {
            $outline = Get-DockerfileOutline $context -Target build -BuildArg @{ WHO = 'world' } -Builder $builder
            $outline.Args | ForEach-Object { '{0} {1}={2} {3}' -f $_.Line, $_.Name, $_.Value, $_.Description } |
                Should -Be "1 BASE=$((Get-TestEngine $Kind).BaseImage) ", '5 WHO=world is greeted'
            $outline.Secrets | ForEach-Object { '{0} {1}' -f $_.Name, $_.Required } | Should -Be 'word True'
            $outline.Ssh[0].Name | Should -Be 'default'
        }
    }
}

Describe 'Questions to <Kind>, which is too old' -ForEach $old {
    Context 'but there<Obstacle>' -Skip:([bool] $Obstacle) {
        It 'have an error that names the way out' {
            Test-Dockerfile -Dockerfile "FROM scratch`n" -Builder (Connect-TestEngine (Get-TestEngine $Kind)) -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.CallNotSupported,*'
            $problem[0].CategoryInfo.Category | Should -Be 'NotImplemented'
            $problem[0].ErrorDetails.RecommendedAction | Should -BeLike '*BUILDKIT_SYNTAX*'
        }
    }
}

Describe 'Test-Dockerfile' -Skip:([bool] $obstacle) {
    BeforeAll {
        $engine = Get-TestEngine docker28
        $common = @{ Builder = $engine.Address }
        $clean = New-Context @{ Dockerfile = "FROM scratch`n" }
    }

    It 'writes nothing where there is nothing to find' {
        Test-Dockerfile $clean @common | Should -BeNullOrEmpty
    }

    It 'answers with a boolean alone when it is to be quiet' {
        Test-Dockerfile $clean -Quiet @common | Should -BeExactly $true
        Test-Dockerfile -Dockerfile "FROM scratch`nMAINTAINER me`n" -Quiet @common | Should -BeExactly $false
        Test-Dockerfile -Dockerfile "FROM scratch`nFORM x`n" -Quiet -ErrorAction Stop @common | Should -BeExactly $false
    }

    It 'does not call it a finding when the Dockerfile is not there' {
        $answer = Test-Dockerfile $clean -Dockerfile nowhere -Quiet -ErrorVariable problem -ErrorAction SilentlyContinue @common
        $answer | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.DockerfileNotFound,*'
    }

    It 'asks about no <Name>' -ForEach @(
        @{ Name = 'archive'; Call = { Test-Dockerfile $clean/ctx.tar @quiet } }
        @{ Name = 'Dockerfile in an archive'; Call = { Test-Dockerfile $clean/ctx.tar -Dockerfile Dockerfile @quiet } }
    ) {
        $quiet = @{ ErrorVariable = 'problem'; ErrorAction = 'SilentlyContinue'; Builder = 'unix:///nowhere.sock' }
        tar -C $clean -cf $clean/ctx.tar Dockerfile
        . $Call
        $problem | Should -HaveCount 1
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.InvalidContext,*'
    }

    It 'shows the lines that do not parse' {
        Test-Dockerfile -Dockerfile "FROM scratch`nFORM x`n" -ErrorVariable problem -ErrorAction SilentlyContinue @common | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.DockerfileSyntax,*'
        $problem[0].ErrorDetails.RecommendedAction | Should -BeLike '*>>> FORM x*'
    }

    It 'gives both findings and error where the Dockerfile wants findings to be errors' {
        $text = "# check=error=true`nFROM scratch`nMAINTAINER me`n"
        (Test-Dockerfile -Dockerfile $text -ErrorVariable problem -ErrorAction SilentlyContinue @common).RuleName | Should -Be 'MaintainerDeprecated'
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.DockerfileCheckFailed,*'
        # A build fails for the same reason, and says the same.
        Invoke-BuildKitSolve $clean -Dockerfile $text -Output type=cacheonly -Progress None -ErrorVariable problem -ErrorAction SilentlyContinue @common
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.DockerfileCheckFailed,*'
    }

    It 'leaves out the rules that a build argument names' {
        Test-Dockerfile -Dockerfile "FROM scratch`nMAINTAINER me`n" -BuildArg @{ BUILDKIT_DOCKERFILE_CHECK = 'skip=MaintainerDeprecated' } @common | Should -BeNullOrEmpty
    }

    It 'takes Dockerfiles from the pipeline, each with its folder as the context, and goes on after a broken one' {
        $folder = New-Context @{ 'a/Dockerfile' = "FORM x`n"; 'b/Dockerfile' = "FROM scratch`nMAINTAINER me`n"; 'c/app.Dockerfile' = "FROM scratch`nENV A b`n" }
        $findings = Get-ChildItem $folder -Recurse -File | Sort-Object FullName | Test-Dockerfile -ErrorVariable problem -ErrorAction SilentlyContinue @common
        $findings.RuleName | Should -Be 'MaintainerDeprecated', 'LegacyKeyValueFormat'
        $findings.File | Should -Be (Join-Path $folder b/Dockerfile), (Join-Path $folder c/app.Dockerfile)
        $problem.TargetObject | Should -Be (Join-Path $folder a/Dockerfile)
    }

    It 'checks for another platform' {
        Test-Dockerfile -Dockerfile "FROM --platform=`$TARGETPLATFORM scratch`n" -Platform linux/arm64 @common | ForEach-Object RuleName |
            Should -Be 'RedundantTargetPlatform'
    }

    It 'shows findings as a table of lines' {
        $text = Test-Dockerfile -Dockerfile "FROM scratch`nMAINTAINER me`n" @common | Out-String -Width 160
        $text | Should -Match 'File: Dockerfile'
        $text | Should -Match '2 MaintainerDeprecated +Maintainer instruction is deprecated'
    }

    It 'completes the stages for -Target' {
        $context = New-Context @{ Dockerfile = "FROM scratch AS first`nFROM scratch AS second`n" }
        $line = "Test-Dockerfile '$context' -Target s"
        Complete $line | Should -Be 'second'
        Complete "Get-DockerfileOutline '$context/Dockerfile' -Target s" | Should -Be 'second'
    }

    It 'ends at once when the pipeline is stopped' {
        # The daemon waits for a host that never answers, the way it waits for a slow registry.
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        try {
            $shell = Start-Shell 'Test-Dockerfile -Dockerfile $text -Builder $address' @{
                text = "FROM 127.0.0.1:$($listener.LocalEndpoint.Port)/slow:1`n"; address = $engine.Address
            }
            Wait-Until { $listener.Pending() }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $shell.Shell.Stop()
            $watch.Elapsed.TotalSeconds | Should -BeLessThan 30
            $shell.Shell.InvocationStateInfo.State | Should -Be 'Stopped'
        }
        finally { $listener.Stop() }
    }
}

Describe 'A stage in the pipeline' -Skip:([bool] $obstacle) {
    It 'builds nothing by mistake' {
        $engine = Get-TestEngine docker28
        Get-DockerfileTarget -Dockerfile "FROM scratch AS one`nFROM --platform=linux/amd64 scratch`n" -Builder $engine.Address |
            Invoke-BuildKitSolve -Output type=cacheonly -Progress None -Builder $engine.Address -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem | Should -HaveCount 2
    }
}
