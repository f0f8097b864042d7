<#
.SYNOPSIS
The tasks of this repository.
.DESCRIPTION
Build       the module, into lib/, ready for Import-Module ./BuildKit.psd1
Test        the .NET tests, then the Pester suite; the last line says N passed, N failed, N skipped
Bench       docker buildx build and the module side by side (tests/benchmarks), into out/bench.json
Package     out/BuildKit/, as the Gallery takes it, and a zip of it
Quickstart  builds samples/hello on the daemon that is found, or on a private Docker Engine, and runs the image
.EXAMPLE
./build.ps1 Test
.EXAMPLE
./build.ps1 Bench -Quick
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)] [ValidateSet('Build', 'Test', 'Bench', 'Package', 'Quickstart')] [string] $Task = 'Build',
    [ValidateSet('Release', 'Debug')] [string] $Configuration = 'Release',
    # Bench with small sizes: shows that it runs.
    [switch] $Quick
)
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
$manifest = Join-Path $PSScriptRoot BuildKit.psd1
$out = Join-Path $PSScriptRoot out
$engines = Join-Path $PSScriptRoot tests engines engines

function Build {
    dotnet build $PSScriptRoot/BuildKit.slnx -c $Configuration | Out-Host
    if ($LASTEXITCODE) { throw "dotnet build failed with exit code $LASTEXITCODE" }
}

function Test {
    Build
    Get-Engines
    Remove-Item $out/test -Recurse -ErrorAction Ignore
    $null = New-Item $out/test -ItemType Directory
    $results = @(Test-Core; Test-Module)
    if ($IsLinux) { & $engines reap }
    $passed, $failed, $skipped = foreach ($count in 'Passed', 'Failed', 'Skipped') { ($results | Measure-Object $count -Sum).Sum }
    "$passed passed, $failed failed, $skipped skipped"
    exit [int]($failed -gt 0)
}

# Fetched before the tests, so that no test waits minutes for it.
function Get-Engines {
    if ($IsLinux) { & bash $engines check docker28 docker26 docker20 buildkitd tools 2>&1 | Tee-Object -Variable output | Out-Host }
    if (-not $IsLinux -or $LASTEXITCODE) { Write-Host "Tests that need engines will be skipped: $($IsLinux ? $output[-1] : 'they run on Debian alone')" }
}

function Test-Core {
    dotnet test $PSScriptRoot/tests/Core.Tests -c $Configuration --no-build --logger trx --results-directory $out/test | Out-Host
    $status = $LASTEXITCODE
    $tests = Get-ChildItem $out/test/*.trx | ForEach-Object { ([xml](Get-Content -Raw $_)).TestRun.Results.UnitTestResult }
    $tests | Where-Object outcome -EQ NotExecuted | Group-Object { $_.Output.ErrorInfo.Message } | ForEach-Object { Write-Host "$($_.Count) skipped: $($_.Name)" }
    Get-Count Core.Tests $status @($tests | Where-Object outcome -EQ Passed).Count @($tests | Where-Object outcome -EQ Failed).Count @($tests | Where-Object outcome -EQ NotExecuted).Count
}

# In a PowerShell of its own, for this one must not lock the module's files.
function Test-Module {
    if (-not (Get-Module -ListAvailable Pester | Where-Object Version -GE '5.5')) {
        try { Install-Module Pester -MinimumVersion 5.5 -Scope CurrentUser -Force -SkipPublisherCheck }
        catch { Write-Host "The Pester suite did not run: Pester 5.5 is missing and can't be installed: $_"; return }
    }
    $run = {
        param($Folder, $File)
        $run = Invoke-Pester -Configuration @{ Run = @{ Path = $Folder; PassThru = $true } }
        @{ Passed = $run.PassedCount; Failed = $run.FailedCount + $run.FailedBlocksCount + $run.FailedContainersCount; Skipped = $run.SkippedCount + $run.NotRunCount + $run.InconclusiveCount } |
            ConvertTo-Json | Set-Content $File
    }
    $program, $arguments = (Split-Path -LeafBase ([Environment]::ProcessPath)) -eq 'dotnet' ? @([Environment]::ProcessPath, "$PSHOME/pwsh.dll") : @([Environment]::ProcessPath)
    & $program @arguments -NoProfile -NonInteractive -Command "& {$run} '$PSScriptRoot/tests/Module.Tests' '$out/test/pester.json'" | Out-Host
    $status = $LASTEXITCODE
    $run = (Test-Path $out/test/pester.json) ? (Get-Content -Raw $out/test/pester.json | ConvertFrom-Json) : $null
    Get-Count Module.Tests ($run ? $status : 1) ([int]$run.Passed) ([int]$run.Failed) ([int]$run.Skipped)
}

# A run that broke off is a failure, even when no test of it failed.
function Get-Count($Suite, $Status, $Passed, $Failed, $Skipped) {
    if ($Status -and -not $Failed) { Write-Host "$Suite ended with exit code $Status, with no failed test: counted as one."; $Failed = 1 }
    [pscustomobject]@{ Passed = $Passed; Failed = $Failed; Skipped = $Skipped }
}

function Bench {
    Build
    & $PSScriptRoot/tests/benchmarks/Bench.ps1 -Manifest $manifest -OutFile $out/bench.json -Quick:$Quick
    & $PSScriptRoot/tests/benchmarks/Layouts.ps1 -Manifest $manifest -OutFile $out/bench-layouts.json -Quick:$Quick
}

function Package {
    Build
    $data = Import-PowerShellDataFile $manifest
    $folder = Join-Path $out BuildKit
    Remove-Item $folder -Recurse -ErrorAction Ignore
    $null = New-Item $folder -ItemType Directory
    Copy-Item $manifest, $PSScriptRoot/lib, $PSScriptRoot/en-US, $PSScriptRoot/LICENSE, $PSScriptRoot/README.md, $PSScriptRoot/CHANGELOG.md $folder -Recurse
    Get-ChildItem $folder -Recurse -Include *.pdb | Remove-Item
    $null = Test-ModuleManifest $folder/BuildKit.psd1
    $zip = Join-Path $out "BuildKit-$($data.ModuleVersion).zip"
    Compress-Archive $folder $zip -Force
    Get-Item $folder, $zip
}

function Quickstart {
    Build
    Import-Module $manifest -Force
    $engine = $null
    try { $builder = Connect-BuildKit }
    catch {
        Import-Module $PSScriptRoot/tests/engines/Engines.psm1
        $obstacle = Get-TestEngineObstacle docker28
        if ($obstacle) { throw "No daemon was found ($_), and a private one can't be started: $obstacle" }
        Write-Host "No daemon was found ($_). Starting a private Docker Engine."
        $engine = Get-TestEngine docker28
        $null = Invoke-Engines image $engine.Name busybox:latest
        $builder = Connect-BuildKit $engine.Address
    }
    try {
        Invoke-BuildKitSolve $PSScriptRoot/samples/hello -Builder $builder -Tag hello:1 | Format-List | Out-Host
        Write-Host 'docker run hello:1'
        if ($engine) { Invoke-TestDocker $engine run --rm hello:1 }
        elseif ($builder.Kind -ne 'DockerEngine') { Write-Host "not done: a $($builder.Kind) has no image store." }
        elseif (-not (Get-Command docker -ErrorAction Ignore)) { Write-Host 'not done: there is no docker executable here.' }
        else { docker run --rm hello:1 }
    }
    finally {
        Disconnect-BuildKit $builder
        if ($engine) { Remove-TestEngine $engine }
    }
}

& $Task
