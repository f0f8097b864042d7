<#
.SYNOPSIS
Work on OCI layouts and registries by the module and by the tools that do the same, in turn.
.DESCRIPTION
Everything lies on tmpfs, the registry's data too. Copies of one image between a layout and a local registry, beside crane and skopeo; the hashing of a layout, beside
sha256sum on all cores; the repair of indexes with many entries. Medians are printed and, with every sample, written as JSON.
.EXAMPLE
tests/benchmarks/Layouts.ps1 -Quick
Small sizes: shows that it works, measures nothing of worth.
#>
[CmdletBinding()]
param(
    [string] $Manifest = "$PSScriptRoot/../../BuildKit.psd1",
    [string] $OutFile = "$PSScriptRoot/../../out/bench-layouts.json",
    # A folder on tmpfs with room for seven times the image.
    [string] $Folder = '/dev/shm',
    [switch] $Quick,
    [int] $Rounds = $Quick ? 2 : 5,
    [int] $ImageMiB = $Quick ? 16 : 1024,
    [int] $LayoutMiB = $Quick ? 64 : 4096,
    [int[]] $Entries = ($Quick ? (100, 1000) : (10000, 100000))
)
$ErrorActionPreference = 'Stop'
$work = (New-Item (Join-Path $Folder "buildkit-bench-$PID") -ItemType Directory -Force).FullName
$results = [System.Collections.Generic.List[object]]::new()
$kept = $env:ENGINES_RUN
Import-Module $PSScriptRoot/../engines/Engines.psm1 -Force
Import-Module $PSScriptRoot/Measure.psm1 -Force
Import-Module $Manifest

function New-Blob([string] $Layout, [byte[]] $Content) {
    $digest = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($Content)).ToLowerInvariant()
    [IO.File]::WriteAllBytes("$Layout/blobs/sha256/$digest", $Content)
    @{ digest = "sha256:$digest"; size = $Content.Length }
}

# Sizes of layers, in MiB, become a layout of one image.
function New-Layout([string] $Name, [double[]] $Layers) {
    $layout = "$work/$Name"
    $null = New-Item "$layout/blobs/sha256" -ItemType Directory
    $list = foreach ($size in $Layers) {
        $content = [byte[]]::new($size * 1MB)
        [Random]::Shared.NextBytes($content)
        @{ mediaType = 'application/vnd.oci.image.layer.v1.tar' } + (New-Blob $layout $content)
    }
    $config = @{ architecture = 'amd64'; os = 'linux'; rootfs = @{ type = 'layers'; diff_ids = @($list.digest) } } | ConvertTo-Json -Depth 9 -Compress
    $manifest = @{
        schemaVersion = 2; mediaType = 'application/vnd.oci.image.manifest.v1+json'; layers = @($list)
        config        = @{ mediaType = 'application/vnd.oci.image.config.v1+json' } + (New-Blob $layout ([Text.Encoding]::UTF8.GetBytes($config)))
    } | ConvertTo-Json -Depth 9 -Compress
    $entry = @{ mediaType = 'application/vnd.oci.image.manifest.v1+json' } + (New-Blob $layout ([Text.Encoding]::UTF8.GetBytes($manifest)))
    @{ schemaVersion = 2; manifests = @($entry + @{ annotations = @{ 'org.opencontainers.image.ref.name' = '1' } }) } | ConvertTo-Json -Depth 9 | Set-Content "$layout/index.json" -NoNewline
    '{"imageLayoutVersion":"1.0.0"}' | Set-Content "$layout/oci-layout" -NoNewline
    $layout
}

function Measure-Call([scriptblock] $Call) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $null = & $Call
    $clock.Elapsed.TotalMilliseconds
}

# Every side in turn, each after its preparation; the first two rounds warm up.
function Compare-Sides([string] $Name, [System.Collections.Specialized.OrderedDictionary] $Sides, [scriptblock] $Prepare = {}) {
    Write-Host "$Name ..."
    $samples = [ordered]@{}
    foreach ($side in $Sides.Keys) { $samples[$side] = @() }
    for ($round = -2; $round -lt $Rounds; $round++) {
        foreach ($side in $Sides.Keys) {
            . $Prepare
            [GC]::Collect()
            $value = & $Sides[$side]
            if ($round -ge 0) { $samples[$side] += $value }
        }
    }
    $row = [ordered]@{ Scenario = $Name }
    foreach ($side in $Sides.Keys) { $row[$side] = [Math]::Round((Get-Median $samples[$side]), 1) }
    $row.Samples = $samples
    $results.Add([pscustomobject] $row)
}

try {
    $env:ENGINES_RUN = "$work/run"
    $crane = Invoke-Engines path crane
    $skopeo = Invoke-Engines path skopeo
    $libraries = (Get-ChildItem "$(Split-Path $skopeo)/../lib" -Filter '*-linux-gnu').FullName -join ':'
    function Measure-Skopeo([string[]] $Arguments) { (Measure-Program 'env' (@("LD_LIBRARY_PATH=$libraries", $skopeo, '--insecure-policy', 'copy', '-q') + $Arguments)).Milliseconds }

    # A registry of its own for every copy: what is there already would not be copied.
    $fresh = { if ($registry) { Remove-TestEngine $registry }; $script:registry = Get-TestEngine registry -Private }
    # The layers of a Python image of 1 GiB: six of the base, the packages, the program itself. And the same size in equal parts.
    $shapes = [ordered]@{ 'an application''s layers' = (49, 24, 64, 211, 6, 27, 620, 23).ForEach{ $_ * $ImageMiB / 1024 }; 'four equal layers' = @($ImageMiB / 4) * 4 }
    foreach ($shape in $shapes.Keys) {
        if ($layout) { Remove-Item $layout -Recurse }
        $layout = New-Layout image $shapes[$shape]
        Compare-Sides "copy of $ImageMiB MiB, $shape, to a registry" -Prepare $fresh -Sides ([ordered]@{
                Crane  = { (Measure-Program $crane 'push', $layout, "$($registry.Address)/a/b:1").Milliseconds }
                Skopeo = { Measure-Skopeo '--dest-tls-verify=false', "oci:${layout}:1", "docker://$($registry.Address)/a/b:1" }
                Module = { Measure-Call { Copy-OciImage "oci-layout://${layout}:1" "$($registry.Address)/a/b:1" } }
            })
    }
    $null = Copy-OciImage "oci-layout://${layout}:1" "$($registry.Address)/a/b:1"
    $clean = { Remove-Item "$work/pulled" -Recurse -Force -ErrorAction Ignore }
    Compare-Sides "copy of $ImageMiB MiB out of a registry" -Prepare $clean -Sides ([ordered]@{
            Crane  = { (Measure-Program $crane 'pull', '--format=oci', "$($registry.Address)/a/b:1", "$work/pulled").Milliseconds }
            Skopeo = { Measure-Skopeo '--src-tls-verify=false', "docker://$($registry.Address)/a/b:1", "oci:$work/pulled:1" }
            Module = { Measure-Call { Copy-OciImage "$($registry.Address)/a/b:1" "oci-layout://$work/pulled:1" } }
        })
    . $clean
    Remove-TestEngine $registry
    Remove-Item $layout -Recurse

    $layout = New-Layout large (@($LayoutMiB / 8) * 8)
    Compare-Sides "check of $LayoutMiB MiB" ([ordered]@{
            Sha256sum = { (Measure-Program 'sh' '-c', "ls $layout/blobs/sha256/* | xargs -P $([Environment]::ProcessorCount) -n 1 sha256sum").Milliseconds }
            Module    = { Measure-Call { if (Test-OciLayout $layout) { throw 'there are findings' } } }
        })
    Remove-Item $layout -Recurse

    foreach ($count in $Entries) {
        $layout = New-Layout "entries-$count" @()
        $index = Get-Content "$layout/index.json" -Raw | ConvertFrom-Json
        $one = $index.manifests[0] | ConvertTo-Json -Depth 9 -Compress
        $many = '{"schemaVersion":2,"manifests":[' + ((0..($count - 1)).ForEach{ $one.Replace('"1"', "`"n$_`"") } -join ',') + ']}'
        Compare-Sides "repair of $count entries" -Prepare { [IO.File]::WriteAllText("$layout/index.json", $many) } -Sides ([ordered]@{
                Module = { Measure-Call { Repair-OciIndex $layout } }
            })
    }
}
finally {
    if ($registry) { try { Remove-TestEngine $registry } catch { Write-Warning $_ } }
    $env:ENGINES_RUN = $kept
    Remove-Item $work -Recurse -Force -ErrorAction Ignore
}
$null = New-Item (Split-Path $OutFile) -ItemType Directory -Force
$results | ConvertTo-Json -Depth 5 | Set-Content $OutFile
$results | Format-Table Scenario, Crane, Skopeo, Sha256sum, Module -AutoSize | Out-String -Width 160
