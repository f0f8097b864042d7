<#
.SYNOPSIS
The same work by `docker buildx build` and by the module, on the same Docker Engine, in turn.
.DESCRIPTION
Everything lies on tmpfs: contexts, exports and the Engine's data. Each scenario runs buildx, module, buildx, module ...; medians and their ratio are
printed and, with every sample, written as JSON. The module runs in this session, as for a person at a prompt, where the scenario does not say «new shell».
Both sides print no progress and add no attestations.
.EXAMPLE
tests/benchmarks/Bench.ps1 -Quick
Small sizes: shows that it works, measures nothing of worth.
.EXAMPLE
tests/benchmarks/Bench.ps1 -Only 'context*' -Rounds 9
#>
[CmdletBinding()]
param(
    [string] $Manifest = "$PSScriptRoot/../../BuildKit.psd1",
    [string] $OutFile = "$PSScriptRoot/../../out/bench.json",
    [ValidateSet('docker28', 'docker28-containerd', 'docker26', 'docker26-containerd', 'docker20')] [string] $Engine = 'docker28',
    # A folder on tmpfs with room for six times the large file.
    [string] $Folder = '/dev/shm',
    # Names of scenarios, with wildcards.
    [string[]] $Only = '*',
    # One of the two can be measured alone.
    [ValidateSet('buildx', 'module')] [string[]] $Side = ('buildx', 'module'),
    [switch] $Quick,
    [int] $Rounds = $Quick ? 2 : 7,
    [int] $Files = $Quick ? 300 : 10000,
    [int] $LargeFileMiB = $Quick ? 16 : 1024,
    [int[]] $MemoryFiles = ($Quick ? (100, 300) : (1000, 10000, 100000))
)
$ErrorActionPreference = 'Stop'
$FileSize = 4096
$pwsh = [Environment]::ProcessPath
$work = (New-Item (Join-Path $Folder "buildkit-bench-$PID") -ItemType Directory -Force).FullName
$results = [System.Collections.Generic.List[object]]::new()
$random = [Random]::new(1)

# ---- what is built ----

function New-Context([string] $Name, [string] $Dockerfile) {
    $path = (New-Item "$work/$Name" -ItemType Directory).FullName
    [IO.File]::WriteAllText("$path/Dockerfile", $Dockerfile)
    $path
}

function Add-SmallFiles([string] $Path, [int] $Count) {
    $content = [byte[]]::new($FileSize)
    for ($i = 0; $i -lt $Count; $i++) {
        if ($i % 100 -eq 0) { $directory = [IO.Directory]::CreateDirectory("$Path/d$($i / 100)").FullName }
        $random.NextBytes($content)
        [IO.File]::WriteAllBytes("$directory/f$i", $content)
    }
}

function Add-LargeFile([string] $Path, [int] $MiB) {
    $content = [byte[]]::new(1MB)
    $stream = [IO.File]::Create("$Path/large")
    try { for ($i = 0; $i -lt $MiB; $i++) { $random.NextBytes($content); $stream.Write($content, 0, $content.Length) } }
    finally { $stream.Dispose() }
}

# ---- how it is measured ----

# Runs both sides in turn and keeps the samples. Prepare runs before every single one of them, unmeasured.
function Compare-Sides([string] $Name, [scriptblock] $Buildx, [scriptblock] $Module, [scriptblock] $Prepare = {}, [string] $Unit = 'ms', [double] $RatioGoal, [int] $Warmup = 0, [int] $Times = $Rounds) {
    if (-not ($Only | Where-Object { $Name -like $_ })) { return }
    Write-Host "$Name ..."
    $samples = @{ buildx = @(); module = @() }
    for ($round = -$Warmup; $round -lt $Times; $round++) {
        foreach ($one in $Side) {
            . $Prepare
            [GC]::Collect()
            $value = & ($one -eq 'buildx' ? $Buildx : $Module)
            if ($round -ge 0) { $samples[$one] += $value }
        }
    }
    $a, $b = foreach ($one in 'buildx', 'module') { $samples[$one] ? [Math]::Round((Get-Median $samples[$one]), 1) : $null }
    $ratio = $a -and $b ? [Math]::Round($b / $a, 2) : $null
    $results.Add([pscustomobject]@{
            Scenario = $Name; Unit = $Unit; Buildx = $a; Module = $b; Ratio = $ratio
            Goal = $RatioGoal ? "ratio <= $RatioGoal" : $null; Met = $RatioGoal -and $null -ne $ratio ? $ratio -le $RatioGoal : $null; Samples = $samples
        })
}

function Measure-Buildx([string] $Context, [string[]] $Arguments) {
    (Measure-Program $docker (@('buildx', 'build', '--progress=quiet') + $Arguments + $Context)).Milliseconds
}

function Measure-Module([string] $Context, [hashtable] $Parameters, [string] $Builder = $address) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $null = Invoke-BuildKitSolve $Context -Builder $Builder -Progress None @Parameters
    $clock.Elapsed.TotalMilliseconds
}

function Measure-NewShell([string] $Command) { (Measure-Program $pwsh '-NoProfile', '-NonInteractive', '-Command', $Command).Milliseconds }

function Clear-Cache { $null = & $docker builder prune --all --force; if ($LASTEXITCODE) { throw 'docker builder prune failed' } }

# ---- the run ----

$kept = @{}
'ENGINES_RUN', 'DOCKER_HOST', 'DOCKER_CONFIG', 'DOCKER_CONTEXT', 'BUILDX_BUILDER', 'BUILDKIT_HOST', 'BUILDX_NO_DEFAULT_ATTESTATIONS' | ForEach-Object {
    $kept[$_] = [Environment]::GetEnvironmentVariable($_)
    [Environment]::SetEnvironmentVariable($_, $null)
}
Import-Module $PSScriptRoot/../engines/Engines.psm1 -Force
Import-Module $PSScriptRoot/Measure.psm1 -Force
try {
    $env:ENGINES_RUN = "$work/run"
    $running = Get-TestEngine $Engine
    $docker = Invoke-Engines path docker
    $plugin = Invoke-Engines path buildx
    $address = $running.Address
    $env:DOCKER_HOST = $address
    $env:DOCKER_CONFIG = "$($running.Folder)/config"
    $env:BUILDX_NO_DEFAULT_ATTESTATIONS = '1'
    if ('module' -in $Side) { Import-Module $Manifest }

    # (a) everything is in the cache
    $context = New-Context cached "FROM $($running.BaseImage) AS build`nWORKDIR /src`nCOPY . .`nRUN wc -c Dockerfile >/size`nFROM $($running.BaseImage)`nCOPY --from=build /size /`n"
    $null = Measure-Buildx $context '--tag', 'cached:1'
    Compare-Sides 'cached build, new shell' -Warmup 1 `
        -Buildx { Measure-Buildx $context '--tag', 'cached:1' } `
        -Module { Measure-NewShell "Import-Module '$Manifest'; Invoke-BuildKitSolve '$context' -Tag cached:1 -Builder '$address' -Progress None" }
    Compare-Sides 'cached build, in a session' -Warmup 1 -RatioGoal 0.5 `
        -Buildx { Measure-Buildx $context '--tag', 'cached:1' } -Module { Measure-Module $context @{ Tag = 'cached:1' } }

    # (b), (c) the context goes to the daemon
    $copy = "FROM scratch`nCOPY . /`n"
    $cacheOnly = '--output', 'type=cacheonly'
    $context = New-Context small $copy
    Add-SmallFiles $context $Files
    $sendBuildx = { Measure-Buildx $context $cacheOnly }
    $sendModule = { Measure-Module $context @{ Output = 'type=cacheonly' } }
    Compare-Sides "context of $Files files, cold" -RatioGoal 1 -Prepare { Clear-Cache } -Buildx $sendBuildx -Module $sendModule
    Compare-Sides "context of $Files files, unchanged" -RatioGoal 1 -Warmup 1 -Buildx $sendBuildx -Module $sendModule
    Compare-Sides "context of $Files files, one changed" -RatioGoal 1 -Warmup 1 -Buildx $sendBuildx -Module $sendModule -Prepare {
        [IO.File]::WriteAllText("$context/d0/f0", [guid]::NewGuid())
    }
    Remove-Item $context -Recurse
    $context = New-Context large $copy
    Add-LargeFile $context $LargeFileMiB
    Compare-Sides "context of one $LargeFileMiB MiB file, cold" -RatioGoal 1 -Prepare { Clear-Cache } -Buildx $sendBuildx -Module $sendModule
    Remove-Item $context -Recurse
    Clear-Cache

    # (d) the result comes back; its files are made on the daemon, once
    foreach ($what in "$Files files", "one $LargeFileMiB MiB file") {
        $make = $what -eq "$Files files" ?
            "i=0; while [ `$i -lt $Files ]; do head -c $FileSize /dev/urandom >/out/`$i; i=`$((i+1)); done" : "head -c $($LargeFileMiB * 1MB) /dev/urandom >/out/large"
        $context = New-Context "export-$($what.Replace(' ', '-'))" "FROM $($running.BaseImage) AS make`nRUN mkdir /out; $make`nFROM scratch`nCOPY --from=make /out /`n"
        $null = Measure-Buildx $context $cacheOnly
        foreach ($type in 'local', 'tar') {
            $destination = "$work/exported"
            $output = "type=$type,dest=$destination"
            Compare-Sides "export of $what, $type" -RatioGoal 1 -Prepare { Remove-Item $destination -Recurse -Force -ErrorAction Ignore } `
                -Buildx { Measure-Buildx $context '--output', $output } -Module { Measure-Module $context @{ Output = $output } }
            Remove-Item $destination -Recurse -Force -ErrorAction Ignore
        }
        Clear-Cache
    }

    # (e) images from a standalone buildkitd: into a file, and into the Engine's store. Layers stay uncompressed, or the daemon's gzip would be all there is to see.
    $imageMiB = [int]($LargeFileMiB / 2)
    $archive, $load = "export of a $imageMiB MiB image, oci", "load of a $imageMiB MiB image into the Engine"
    if ($Only | Where-Object { $archive -like $_ -or $load -like $_ }) {
        $buildkitd = Get-TestEngine buildkitd -Private
        $null = & $docker buildx create --name bench --driver remote $buildkitd.Address
        $context = New-Context image $copy
        Add-LargeFile $context $imageMiB
        $null = Measure-Buildx $context (@('--builder', 'bench') + $cacheOnly)
        $destination = "$work/image.tar"
        $output = "type=oci,dest=$destination,compression=uncompressed,force-compression=true"
        Compare-Sides $archive -RatioGoal 1 -Warmup 1 -Prepare { Remove-Item $destination -Force -ErrorAction Ignore } `
            -Buildx { Measure-Buildx $context '--builder', 'bench', '--output', $output } `
            -Module { Measure-Module $context @{ Output = $output } $buildkitd.Address }
        Remove-Item $destination -Force -ErrorAction Ignore
        $output = 'type=docker,name=loaded:1,compression=uncompressed,force-compression=true'
        Compare-Sides $load -RatioGoal 1 -Warmup 1 -Prepare { $null = & $docker image rm --force loaded:1 2>&1 } `
            -Buildx { Measure-Buildx $context '--builder', 'bench', '--output', $output } `
            -Module { Measure-Module $context @{ Output = $output; LoadInto = $address } $buildkitd.Address }
        Remove-Item $context -Recurse
        $null = & $docker buildx rm bench
        Remove-TestEngine $buildkitd
    }

    # (f) what loading the module costs
    if ('module' -in $Side -and ($Only | Where-Object { 'Import-Module' -like $_ })) {
        Write-Host 'Import-Module ...'
        $idle, $import = @(), @()
        for ($round = -1; $round -lt 2 * $Rounds; $round++) {
            $a = Measure-NewShell 'exit'
            $b = Measure-NewShell "Import-Module '$Manifest'"
            if ($round -ge 0) { $idle += $a; $import += $b }
        }
        $cost = [Math]::Round((Get-Median $import) - (Get-Median $idle), 1)
        $results.Add([pscustomobject]@{
                Scenario = 'Import-Module, above an idle shell'; Unit = 'ms'; Buildx = $null; Module = $cost; Ratio = $null
                Goal = '<= 100 ms'; Met = $cost -le 100; Samples = @{ idle = $idle; module = $import }
            })
    }

    # (g) memory: the peak of a new shell that builds, minus the peak of one that does nothing
    $peak = "if ((Get-Content -Raw /proc/self/status) -match 'VmHWM:\s+(\d+)') { [int]`$Matches[1] / 1024 }"
    $idle = Get-Median (1..3 | ForEach-Object { [double](Measure-Program $pwsh '-NoProfile', '-NonInteractive', '-Command', $peak).Output })
    foreach ($count in $MemoryFiles) {
        $name = "peak memory, context of $count files"
        if (-not ($Only | Where-Object { $name -like $_ })) { continue }
        $context = New-Context "memory$count" $copy
        Add-SmallFiles $context $count
        Compare-Sides $name -Unit MiB -Times ([Math]::Min(3, $Rounds)) -Prepare { Clear-Cache } `
            -Buildx { (Measure-Program $plugin (@('build', '--progress=quiet') + $cacheOnly + $context) -Memory).PeakMiB } `
            -Module {
            $command = "Import-Module '$Manifest'; `$null = Invoke-BuildKitSolve '$context' -Builder '$address' -Output type=cacheonly -Progress None; $peak"
            [double](Measure-Program $pwsh '-NoProfile', '-NonInteractive', '-Command', $command).Output - $idle
        }
        $last = $results[-1]
        $last.Goal = '<= 64 MiB'
        $last.Met = $null -ne $last.Module ? $last.Module -le 64 : $null
        Remove-Item $context -Recurse
    }

    $report = [ordered]@{
        date = [DateTime]::UtcNow.ToString('u'); engine = $Engine; rounds = $Rounds; idleShellPeakMiB = $idle
        versions = [ordered]@{
            module = 'module' -in $Side ? "$((Get-Module BuildKit).Version)" : $null; powershell = "$($PSVersionTable.PSVersion)"; dotnet = "$([Environment]::Version)"
            engine = "$(& $docker version --format '{{.Server.Version}}')"; buildx = "$(& $docker buildx version)"
        }
        machine = [ordered]@{ system = [Runtime.InteropServices.RuntimeInformation]::OSDescription; processors = [Environment]::ProcessorCount; folder = $Folder }
        results = $results
    }
    $null = New-Item (Split-Path $OutFile) -ItemType Directory -Force
    $report | ConvertTo-Json -Depth 6 | Set-Content $OutFile
    $results | Select-Object Scenario, Unit, Buildx, Module, Ratio, Goal, Met | Format-Table -AutoSize | Out-String -Width 200
}
finally {
    if (Get-Module BuildKit) { Disconnect-BuildKit -ErrorAction Ignore }
    if ($running) { Remove-TestEngine $running }
    $kept.GetEnumerator() | ForEach-Object { [Environment]::SetEnvironmentVariable($_.Key, $_.Value) }
    Remove-Item $work -Recurse -Force -ErrorAction Ignore
}
