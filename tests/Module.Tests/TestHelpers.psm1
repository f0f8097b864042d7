# What the test files share. Engines come from tests/engines/Engines.psm1.
$manifest = (Resolve-Path "$PSScriptRoot/../../BuildKit.psd1").Path
Import-Module "$PSScriptRoot/../engines/Engines.psm1"

# Takes away what the user of this machine has set up for docker and git, and what another test has.
function Reset-Environment {
    Get-ChildItem env: | Where-Object Name -Match '^(DOCKER|BUILDX|BUILDKIT|EXPERIMENTAL_BUILDKIT)_|^SOURCE_DATE_EPOCH$' | ForEach-Object { [Environment]::SetEnvironmentVariable($_.Name, $null) }
    # Nobody has logged in there, and no builder is known. While Pester looks for tests there is no TestDrive.
    $env:DOCKER_CONFIG = Join-Path ((Test-Path TestDrive:/) ? (Get-Item TestDrive:/).FullName : [IO.Path]::GetTempPath()) ".no-config-$PID"
    $env:GIT_CONFIG_GLOBAL = "$env:DOCKER_CONFIG/gitconfig"
}
Reset-Environment

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

# Test cases: Kind is an engine's, Obstacle says for the name of what is skipped why that is so, and is empty otherwise.
function Get-EngineCase([string[]] $Kind, [string[]] $Also = @()) {
    foreach ($each in $Kind) {
        $obstacle = Get-TestEngineObstacle (@($each) + $Also)
        @{ Kind = $each; Obstacle = $obstacle ? ", but: $obstacle" : '' }
    }
}

# A connection to an engine, with its certificates where it wants some.
function Connect-TestEngine($Engine) {
    $certificates = $Engine.Kind -like '*-tls' ? @{ CACertificate = $Engine.Ca; ClientCertificate = $Engine.Cert; ClientKey = $Engine.Key; ServerName = 'localhost' } : @{}
    Connect-BuildKit $Engine.Address @certificates
}

# Puts an image of the engines' buildkitd into a registry, by way of a Docker Engine, which does not keep it.
function Push-BuildKitImage($Engine, [string] $Image) {
    $tar = Join-Path $Engine.Folder "$([guid]::NewGuid()).tar"
    Invoke-Engines buildkit-image $tar
    $null = Invoke-TestDocker $Engine import -c 'ENTRYPOINT ["buildkitd"]' $tar $Image
    $null = Invoke-TestDocker $Engine push -q $Image
    $null = Invoke-TestDocker $Engine rmi $Image
    Remove-Item $tar
}

# The processes of steps that sleep for a time that begins with these digits, on whatever daemon.
function Get-SleepingStep([string] $Seconds) {
    Get-ChildItem /proc -Directory | Where-Object Name -Match '^\d+$' | Where-Object { (Get-Content "$_/cmdline" -ErrorAction Ignore) -like "sleep?$Seconds*" }
}

# What is offered at the end of a line.
function Complete([string] $Line) { (TabExpansion2 $Line $Line.Length).CompletionMatches.CompletionText }

# The id of the first of some errors, without the name of the cmdlet.
function Get-ErrorId([Parameter(Mandatory)] $Failure) { (@($Failure)[0].FullyQualifiedErrorId -split ',')[0] }

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
function Wait-Until([scriptblock] $Condition, [int] $Seconds = 60) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($watch.Elapsed.TotalSeconds -gt $Seconds) { throw "Waited $Seconds s for { $Condition }" }
        Start-Sleep -Milliseconds 50
    }
}

Export-ModuleMember -Function * -Alias @()
