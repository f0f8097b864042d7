BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $engines = Get-EngineCase 'docker28', 'docker28-containerd', 'docker26', 'docker20', 'buildkitd', 'buildkitd-tls'
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'A build on <Kind>' -ForEach $engines {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $engine = Get-TestEngine $Kind
            $builder = Connect-TestEngine $engine
            $isEngine = $Kind -like 'docker*'
            $context = New-Context @{
                Dockerfile = @"
FROM $($engine.BaseImage) AS build
ARG WHO=nobody
RUN echo "hello `$WHO" > /greeting
FROM scratch AS files
COPY --from=build /greeting /greeting
COPY word /deep/word
FROM $($engine.BaseImage)
COPY --from=files / /
CMD ["cat", "/greeting"]
"@
                'word'     = 'ö'
            }
            $common = @{ Builder = $builder; Progress = 'None' }
        }

        It 'knows the daemon' {
            $server = $builder | Get-BuildKitServer
            $server.Address | Should -Be $engine.Address
            $server.Kind | Should -Be ($isEngine ? 'DockerEngine' : 'Buildkitd')
            ($builder | Get-BuildKitWorker).Platforms | Should -Contain $server.Platforms[0]
        }

        It 'gives an object, and the image to an Engine' {
            $result = Invoke-BuildKitSolve $context -Tag "hello-$($Kind):1" -BuildArg @{ WHO = 'world' } -Label @{ 'org.example.kind' = $Kind } @common
            $result | Should -HaveCount 1
            $result | Should -BeOfType ([BuildKit.Solve.BuildKitSolveResult, BuildKit.Core])
            $result.Steps.Name | Should -Contain '[build 2/2] RUN echo "hello world" > /greeting'
            $result.Duration | Should -BeGreaterThan 0
            # PowerShell indexes into no list that C# made up for a collection expression.
            $result.Steps[0].Name | Should -BeLike '[[]internal] *'
            if ($isEngine) {
                $result.Tags | Should -Be "docker.io/library/hello-$($Kind):1"
                Invoke-TestDocker $engine run --rm "hello-$($Kind):1" | Should -Be 'hello world'
                Invoke-TestDocker $engine inspect -f '{{index .Config.Labels "org.example.kind"}}' "hello-$($Kind):1" | Should -Be $Kind
            }
        }

        It 'takes unchanged steps from the cache' {
            $null = Invoke-BuildKitSolve $context -BuildArg @{ WHO = 'cache' } @common
            (Invoke-BuildKitSolve $context -BuildArg @{ WHO = 'cache' } @common).Steps.Where{ $_.Name -like '*RUN*' }.Cached | Should -BeTrue
            (Invoke-BuildKitSolve $context -BuildArg @{ WHO = 'cache' } -NoCache @common).Steps.Where{ $_.Name -like '*RUN*' }.Cached | Should -BeFalse
        }

        It 'writes the files of a stage to a folder, relative to the current location' {
            Push-Location $context
            try {
                $result = Invoke-BuildKitSolve . -Target files -BuildArg @{ WHO = 'files' } -Output type=local,dest=out @common
                $result.Outputs[0].Type | Should -Be 'local'
                $result.Outputs[0].Destination | Should -Be (Join-Path $context out)
                Get-Content out/greeting | Should -Be 'hello files'
                [IO.File]::ReadAllText("$context/out/deep/word") | Should -Be 'ö'
            }
            finally {
                Remove-Item out -Recurse -ErrorAction Ignore
                Pop-Location
            }
        }

        It 'writes a tar' {
            $result = Invoke-BuildKitSolve $context -Target files -Output @{ type = 'tar'; dest = 'TestDrive:/files.tar' } @common
            $result.Outputs[0].Size | Should -Be (Get-Item TestDrive:/files.tar).Length
            tar -tf $result.Outputs[0].Destination | Should -Contain 'deep/word'
        }

        It 'takes the Dockerfile as text, and from outside the context' {
            $text = "FROM scratch`nCOPY word /word`n"
            $result = Invoke-BuildKitSolve $context -Dockerfile $text -Output TestDrive:/text @common
            $result.Steps.Name | Should -Contain '[1/1] COPY word /word'
            $outside = New-Context @{ 'other.Dockerfile' = $text }
            (Invoke-BuildKitSolve $context -Dockerfile $outside/other.Dockerfile -Output TestDrive:/outside @common).Steps.Name | Should -Contain '[1/1] COPY word /word'
        }

        It 'reports a step that failed' {
            $null = Invoke-BuildKitSolve $context -Dockerfile "FROM $($engine.BaseImage)`nRUN echo before; exit 9`n" @common -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.SolveFailed,*'
            $failure[0].Exception.Vertex | Should -BeLike '*RUN echo before; exit 9'
            $failure[0].Exception.Logs | Should -Contain 'before'
            "$($failure[0])" | Should -BeLike '*RUN echo before; exit 9*'
            $failure[0].Exception.ExitCode | Should -Be 9
            # Docker 20.10 sends no position in the Dockerfile.
            if ($Kind -ne 'docker20') { $failure[0].Exception.Message | Should -BeLike '*>>> RUN echo before; exit 9*' }
        }

        It 'reports a file that is not in the context, and leaves no output' {
            $null = Invoke-BuildKitSolve $context -Dockerfile "FROM scratch`nCOPY nothing /`n" -Output TestDrive:/none @common -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.FileNotInContext,*'
            Test-Path TestDrive:/none | Should -BeFalse
        }

        It 'gives a result that can be selected, converted and stored' {
            $result = Invoke-BuildKitSolve $context @common
            ($result | ConvertTo-Json -Depth 6 | ConvertFrom-Json).Ref | Should -Be $result.Ref
            $result | Export-Clixml TestDrive:/result.xml
            (Import-Clixml TestDrive:/result.xml).Ref | Should -Be $result.Ref
            $result | Select-Object Ref, Builder | Out-String | Should -BeLike "*$($result.Ref)*"
            $result | Out-String | Should -BeLike '*of them cached*'
        }
    }
}

AfterAll { Disconnect-BuildKit }
