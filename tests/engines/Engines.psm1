# The same engines for Pester, the benchmarks and the quick start. They end a second after this PowerShell process does, however it ends.
$script = Join-Path $PSScriptRoot engines
$shared = @{}

function Invoke-Engines {
    $output = & bash $script @args
    if ($LASTEXITCODE -ne 0) { throw "tests/engines/engines $args failed with exit code $LASTEXITCODE" }
    $output
}

# Why engines of these kinds can't be had on this machine; nothing when they can. Fetches what they need: 15 s for a Docker Engine, 3 minutes for buildkitd, once.
function Get-TestEngineObstacle([Parameter(Mandatory, ValueFromRemainingArguments)] [string[]] $Kind) {
    if (-not $IsLinux) { return 'The engines run on Debian alone.' }
    $output = & bash $script check @Kind 2>&1
    if ($LASTEXITCODE -ne 0) { "$($output | Select-Object -Last 1)" }
}

# Starts an engine; with -Private one that is nobody else's, otherwise this process's engine of that kind.
function Get-TestEngine {
    param(
        [Parameter(Mandatory)] [ValidateSet('docker28', 'docker28-containerd', 'docker26', 'docker26-containerd', 'docker20', 'buildkitd', 'buildkitd-tls', 'registry', 'registry-basic', 'registry-token')]
        [string] $Kind,
        [switch] $Private
    )
    if (-not $Private -and $shared[$Kind]) { return $shared[$Kind] }
    $name = "p$PID-$Kind" + ($Private ? "-$([guid]::NewGuid().ToString('n').Substring(0, 3))" : '')
    $address = Invoke-Engines up $name $Kind --owner $PID
    $folder = Invoke-Engines dir $name
    $engine = [pscustomobject]@{
        Name      = $name
        Kind      = $Kind
        Address   = $address
        Folder    = $folder
        Log       = "$folder/log"
        BaseImage = $Kind -like 'buildkitd*' ? (Get-TestEngine registry).BaseImage : (Invoke-Engines image $name)
        Ca        = "$folder/tls/ca.pem"
        Cert      = "$folder/tls/cert.pem"
        Key       = "$folder/tls/key.pem"
    }
    if (-not $Private) { $shared[$Kind] = $engine }
    $engine
}

# kill -9; Restart-TestEngine starts it again on its data.
function Stop-TestEngine([Parameter(Mandatory)] $Engine) { Invoke-Engines kill $Engine.Name }
function Restart-TestEngine([Parameter(Mandatory)] $Engine) { $null = Invoke-Engines up $Engine.Name $Engine.Kind --owner $PID }

function Remove-TestEngine([Parameter(Mandatory)] $Engine) {
    Invoke-Engines down $Engine.Name
    if ($shared[$Engine.Kind] -and $shared[$Engine.Kind].Name -eq $Engine.Name) { $shared.Remove($Engine.Kind) }
}

# The docker CLI, with buildx, against that Engine: Invoke-TestDocker $engine run --rm hello:1
function Invoke-TestDocker {
    $engine, $arguments = $args
    Invoke-Engines docker $engine.Name @arguments
}

Export-ModuleMember -Function Invoke-Engines, Get-TestEngineObstacle, Get-TestEngine, Stop-TestEngine, Restart-TestEngine, Remove-TestEngine, Invoke-TestDocker
