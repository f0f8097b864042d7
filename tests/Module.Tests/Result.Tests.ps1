BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'A result' -Skip:([bool] $obstacle) {
    BeforeAll {
        $engine = Get-TestEngine docker28
        $context = New-Context @{ Dockerfile = "FROM $($engine.BaseImage) as build`nRUN echo hello > /hello`nFROM scratch`nCOPY --from=build /hello /`n" }
        $common = @{ Builder = $engine.Address; Progress = 'None' }
        $result = Invoke-BuildKitSolve $context @common -Tag result:1, other/result:2
    }

    It 'is shown for a person' {
        $text = $result | Out-String -Width 200
        $text | Should -Match "(?m)^ImageDigest +: $($result.ImageDigest)"
        $text | Should -Match '(?m)^Tags +: docker.io/library/result:1\r?\n +docker.io/other/result:2'
        $text | Should -Match '(?m)^Duration +: \d+\.\d s'
        $text | Should -Match "(?m)^Warnings +: Dockerfile:1: FromAsCasing: 'as'"
        $text | Should -Match '(?m)^Materials +: pkg:docker/base@1'
        # The Engine's classic store has one digest for both.
        $text | Should -Not -Match 'ConfigDigest'
    }

    It 'has warnings with their place, rule and explanation' {
        $result.Warnings[0].RuleName | Should -Be 'FromAsCasing'
        $result.Warnings[0].File, $result.Warnings[0].Line | Should -Be 'Dockerfile', 1
        $result.Warnings | Out-String | Should -Match 'Dockerfile:1 +FromAsCasing:(.|\n)*https://docs\.docker\.com/go/dockerfile/rule/from-as-casing/'
        $result.Warnings | Format-List | Out-String | Should -Match '1 \| >>> FROM .* as build'
    }

    It 'says what went in' {
        $result.Provenance | Should -HaveCount 1
        $result.Provenance.Materials[0].Uri | Should -BeLike 'pkg:docker/base@1*'
        $result.Provenance[0].Materials[0].Digest | Should -BeLike 'sha256:*'
        ($result.Provenance[0].Json | ConvertFrom-Json).buildConfig.llbDefinition | Should -Not -BeNullOrEmpty
        $result.Provenance | Out-String | Should -Match '(?m)^Frontend +: dockerfile.v0'
        $result.Provenance | Out-String -Width 200 | Should -Match "(?m)^Materials +: pkg:docker/base@1.*@sha256:"
        $result.Provenance | Out-String | Should -Not -Match 'llbDefinition'
    }

    It 'shows outputs with their sizes' {
        $tar = Invoke-BuildKitSolve $context @common -Output type=tar,dest=TestDrive:/result.tar
        $tar | Out-String -Width 200 | Should -Match "(?m)^Outputs +: tar in .*result\.tar \([\d\W]+ bytes\)"
        $tar.Outputs | Out-String | Should -Match '(?m)^tar +[\d\W]+ .*result\.tar'
    }

    It 'survives JSON and CLIXML' {
        $json = $result | ConvertTo-Json -Depth 8 | ConvertFrom-Json
        $json.Provenance[0].Materials[0].Uri | Should -Be $result.Provenance[0].Materials[0].Uri
        $json.Warnings[0].Line | Should -Be 1
        $json.Steps.Name | Should -Be $result.Steps.Name
        $json.ExporterResponse.'containerimage.digest' | Should -Be $result.ImageDigest
        $result | Export-Clixml TestDrive:/result.xml -Depth 5
        $back = Import-Clixml TestDrive:/result.xml
        $back.Provenance[0].Materials[0].Uri | Should -Be $result.Provenance[0].Materials[0].Uri
        $back.Warnings[0].RuleName | Should -Be 'FromAsCasing'
        $back.Steps[0].Name | Should -Be $result.Steps[0].Name
        $back.Duration | Should -Be $result.Duration
    }
}

Describe 'Files of a result' -Skip:([bool] $obstacle) {
    BeforeAll {
        $engine = Get-TestEngine docker28
        $context = New-Context @{ Dockerfile = "FROM $($engine.BaseImage) as build`nRUN echo files > /f`nCMD /f`n" }
        # The places of a JSON value, with what is the same in each run; buildx lists warnings in no order.
        function Get-Place($Value, [string] $Path) {
            if ($Value -is [Collections.IDictionary]) { foreach ($name in $Value.Keys) { Get-Place $Value[$name] "$Path/$($name -replace '^sha256:.*', 'DIGEST')" } }
            elseif ($Value -is [array]) { foreach ($item in $Value) { Get-Place $item "$Path[]" } }
            elseif ($Path -match 'short|url|detail|uri|platform|frontend|args|image.name|line$') { "$Path = $Value" }
            # A measured 0 is a whole number, a measured 0.5 is none.
            else { "$Path : $($Value -is [ValueType] -and $Value -isnot [bool] ? 'Number' : $Value.GetType().Name)" }
        }
        function Get-Places([string] $File) { Get-Place (Get-Content $File -Raw | ConvertFrom-Json -AsHashtable -DateKind String) '' | Sort-Object -Unique }
    }

    It '-MetadataFile writes what buildx writes, all of it where the environment asks for it' {
        Push-Location $context
        try {
            $env:BUILDX_METADATA_PROVENANCE = 'max'
            $env:BUILDX_METADATA_WARNINGS = '1'
            $null = Invoke-TestDocker $engine buildx build --quiet --tag meta:1 --metadata-file $context/theirs.json $context
            $null = Invoke-BuildKitSolve . -Builder $engine.Address -Tag meta:1 -Progress None -MetadataFile ours.json
        }
        finally {
            $env:BUILDX_METADATA_PROVENANCE = $env:BUILDX_METADATA_WARNINGS = $null
            Pop-Location
        }
        $theirs = Get-Places $context/theirs.json
        $theirs -match '^/buildx.build.warnings\[\]/short = ' | Should -HaveCount 2
        Get-Places $context/ours.json | Should -Be $theirs
    }

    It '-MetadataFile and the result leave the provenance out where the environment says so' {
        try {
            $env:BUILDX_METADATA_PROVENANCE = 'disabled'
            $result = Invoke-BuildKitSolve $context -Builder $engine.Address -Progress None -MetadataFile TestDrive:/none.json
        }
        finally { $env:BUILDX_METADATA_PROVENANCE = $null }
        $result.Provenance | Should -BeNullOrEmpty
        (Get-Content TestDrive:/none.json -Raw | ConvertFrom-Json).PSObject.Properties.Name | Should -Not -Contain 'buildx.build.provenance'
    }

    It '-ImageIdFile writes the id alone' {
        $result = Invoke-BuildKitSolve $context -Builder $engine.Address -Tag id:1 -Progress None -IidFile TestDrive:/id
        Get-Content TestDrive:/id -Raw | Should -BeExactly $result.ConfigDigest
        Invoke-TestDocker $engine inspect -f '{{.Id}}' id:1 | Should -Be $result.ConfigDigest
    }

    It '-ImageIdFile refuses what gives no image' {
        $null = Invoke-BuildKitSolve $context -Builder $engine.Address -Output TestDrive:/out -ImageIdFile TestDrive:/id -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.ImageIdFileWithoutImage,*'
        Test-Path TestDrive:/out | Should -BeFalse
    }
}

Describe '-Progress RawJson' -Skip:([bool] $obstacle) {
    BeforeAll {
        $engine = Get-TestEngine docker28
        $context = New-Context @{ Dockerfile = "FROM $($engine.BaseImage) as build`nRUN echo raw`n" }
    }

    It 'writes events as JSON to the information stream, and warnings nowhere else' {
        $all = Invoke-BuildKitSolve $context -Builder $engine.Address -NoCache -Progress RawJson -WarningVariable warnings 6>&1
        $all[-1] | Should -BeOfType ([BuildKit.Solve.BuildKitSolveResult, BuildKit.Core])
        $events = $all[0..($all.Count - 2)] | ForEach-Object { "$_" | ConvertFrom-Json }
        $events.vertexes.name | Should -Contain '[2/2] RUN echo raw'
        [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($events.logs.Where{ $_ }[0].data)) | Should -Be "raw`n"
        $events.warnings.url | Should -Contain 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/'
        $warnings | Should -BeNullOrEmpty
    }

    It 'is what BUILDKIT_PROGRESS means by <Name>' -ForEach @{ Name = 'rawjson'; Pattern = '{"vertexes":*' }, @{ Name = 'plain'; Pattern = '#1 *' }, @{ Name = '4'; Pattern = '#1 *' } {
        try {
            $env:BUILDKIT_PROGRESS = $Name
            $run = Start-Shell "Invoke-BuildKitSolve '$context' -Builder $($engine.Address)"
            $null = $run.Shell.EndInvoke($run.Result)
            "$($run.Shell.Streams.Information[0])" | Should -BeLike $Pattern
        }
        finally { $env:BUILDKIT_PROGRESS = $null }
    }
}

AfterAll { Disconnect-BuildKit }
