# What the test files share. Engines come from tests/engines/Engines.psm1.
$manifest = (Resolve-Path "$PSScriptRoot/../../BuildKit.psd1").Path
Import-Module "$PSScriptRoot/../engines/Engines.psm1"

# The module's manifest.
function Get-Manifest { $manifest }

# A folder with these files; keys are relative paths, values texts.
function New-Context([hashtable] $Files) {
    $folder = Join-Path TestDrive: ([guid]::NewGuid().ToString('n').Substring(0, 8))
    $folder = (New-Item $folder -ItemType Directory).FullName
    foreach ($file in $Files.GetEnumerator()) {
        $path = Join-Path $folder $file.Key
        $null = New-Item (Split-Path $path) -ItemType Directory -Force
        [IO.File]::WriteAllText($path, $file.Value)
    }
    $folder
}

# Runs a script in a new PowerShell and gives its output lines.
function Invoke-NewShell([string] $Script) {
    $output = & ([Environment]::ProcessPath) -NoProfile -NonInteractive -Command $Script 2>&1
    if ($LASTEXITCODE -ne 0) { throw "The new shell failed: $output" }
    $output
}

# Runs a script in a runspace of this process that has the module, and gives the PowerShell that runs it.
function Start-Shell([string] $Script, [hashtable] $Variables = @{}) {
    $state = [initialsessionstate]::CreateDefault2()
    $state.ImportPSModule($manifest)
    foreach ($variable in $Variables.GetEnumerator()) {
        $state.Variables.Add([Management.Automation.Runspaces.SessionStateVariableEntry]::new($variable.Key, $variable.Value, ''))
    }
    $shell = [powershell]::Create($state).AddScript($Script)
    [pscustomobject]@{ Shell = $shell; Result = $shell.BeginInvoke() }
}

# Waits for something to become true.
function Wait-Until([scriptblock] $Condition, [int] $Seconds = 30) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($watch.Elapsed.TotalSeconds -gt $Seconds) { throw "Waited $Seconds s for { $Condition }" }
        Start-Sleep -Milliseconds 50
    }
}

Export-ModuleMember -Function * -Alias @()
