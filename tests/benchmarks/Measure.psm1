# How programs are measured.

# Runs a program to its end; gives milliseconds, and with -Memory its peak resident set in MiB.
function Measure-Program([string] $Program, [string[]] $Arguments, [switch] $Memory) {
    $start = [Diagnostics.ProcessStartInfo]::new($Program)
    $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $Arguments | ForEach-Object { $start.ArgumentList.Add($_) }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    $process = [Diagnostics.Process]::Start($start)
    $output = $process.StandardOutput.ReadToEndAsync()
    $problem = $process.StandardError.ReadToEndAsync()
    $peak = 0
    if ($Memory) { while (-not $process.WaitForExit(2)) { $peak = [Math]::Max($peak, (Get-Peak $process.Id)) } }
    $process.WaitForExit()
    $elapsed = $clock.Elapsed.TotalMilliseconds
    if ($process.ExitCode) { throw "$Program $Arguments ended with exit code $($process.ExitCode): $($problem.Result)" }
    $process.Dispose()
    [pscustomobject]@{ Milliseconds = $elapsed; PeakMiB = $peak; Output = $output.Result }
}

function Get-Peak([string] $Process) {
    try { if ([IO.File]::ReadAllText("/proc/$Process/status") -match 'VmHWM:\s+(\d+) kB') { [int]$Matches[1] / 1024 } else { 0 } }
    catch [IO.IOException] { 0 }
}

function Get-Median([double[]] $Values) {
    $sorted = @($Values | Sort-Object)
    $middle = [int][Math]::Floor($sorted.Count / 2)
    $sorted.Count % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2
}

Export-ModuleMember -Function Measure-Program, Get-Median
