BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28-containerd
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $context = New-Context @{ Dockerfile = "FROM scratch`n"; token = "from a file`n" }
    function Get-TextHash([string] $Text) { [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Text))).ToLowerInvariant() }
}

Describe '-Secret' {
    It 'refuses <Name>' -ForEach @(
        @{ Name = 'what is no field'; Value = { 'token' } }
        @{ Name = 'an unknown field'; Value = { 'id=x,file=y' } }
        @{ Name = 'a value in a string'; Value = { 'id=x,value=hidden' } }
        @{ Name = 'no id'; Value = { 'src=token' } }
        @{ Name = 'an empty id'; Value = { 'id=,src=token' } }
        @{ Name = 'an unknown type'; Value = { 'type=vault,id=x' } }
        @{ Name = 'two sources'; Value = { 'id=x,src=token,env=HOME' } }
        @{ Name = 'two sources in a hashtable'; Value = { @{ id = 'x'; value = 'hidden'; env = 'HOME' } } }
        @{ Name = 'an unknown key'; Value = { @{ id = 'x'; hidden = 'hidden' } } }
        @{ Name = 'a script that is none'; Value = { @{ id = 'x'; script = 'hidden' } } }
        @{ Name = 'a value of another kind'; Value = { @{ id = 'x'; value = Get-Item / } } }
        @{ Name = 'no value'; Value = { @{ id = 'x'; value = $null } } }
        @{ Name = 'a forgotten id'; Value = { @{ src = 'token' } } }
        @{ Name = 'a number'; Value = { 5 } }
    ) {
        { Invoke-BuildKitSolve $context -Secret (. $Value) -Builder unix:///nowhere.sock } | Should -Throw -ErrorId 'BuildKit.InvalidSecret,*' -PassThru |
            ForEach-Object { $_ | Format-List * -Force | Out-String } | Should -Not -BeLike '*: hidden*'
    }

    It 'refuses a script that <Name>' -ForEach @(
        @{ Name = 'throws'; Script = { throw 'the vault is sealed' }; Message = '*vault is sealed*' }
        @{ Name = 'gives nothing'; Script = { }; Message = '*gave nothing*' }
        @{ Name = 'gives something else'; Script = { Get-Date }; Message = '*something else*' }
        @{ Name = 'gives two things'; Script = { 'a'; 5 }; Message = '*something else*' }
    ) {
        { Invoke-BuildKitSolve $context -Secret @{ id = 'x'; script = $Script } -Builder unix:///nowhere.sock } |
            Should -Throw $Message -ErrorId 'BuildKit.SecretProviderFailed,*'
    }

    It 'completes the ids that the Dockerfile mounts' {
        $folder = New-Context @{ Dockerfile = "FROM a`nRUN --mount=type=secret,id=npm --mount=type=cache,id=no,target=/c x`nRUN --mount=target=/etc/.aws,type=secret y`nRUN --mount=type=ssh,id=git z`n" }
        Complete "Invoke-BuildKitSolve '$folder' -Secret " | Should -Be "'id=npm,src='", "'id=npm,env='", "'id=.aws,src='", "'id=.aws,env='"
        Complete "Invoke-BuildKitSolve '$folder' -Ssh " | Should -Be 'default', 'default=', 'git', 'git='
    }

    It 'runs a script once for all contexts, where it was written' {
        $script:calls = 0
        $context, $context | Invoke-BuildKitSolve -Secret @{ id = 'x'; script = { $script:calls++; 'value' } } -Builder unix:///nowhere.sock -ErrorAction SilentlyContinue
        $script:calls | Should -Be 1
    }

    Context 'in a build<Obstacle>' -ForEach @{ Obstacle = $obstacle ? ", but: $obstacle" : '' } -Skip:([bool] $obstacle) {
        BeforeAll {
            $engine = Get-TestEngine docker28-containerd
            $env:BUILDKIT_TEST_TOKEN = 'from the environment'
            Push-Location $context
            try {
                # One build for all of them; each step prints the hash of what it was given.
                $ids = @('BUILDKIT_TEST_TOKEN', 'token') + 1..21
                $mounts = $ids.ForEach{ "--mount=type=secret,id=$_,required=true" }
                $null = Invoke-BuildKitSolve . -Dockerfile "FROM $($engine.BaseImage)`nRUN $mounts sha256sum /run/secrets/*" -Builder $engine.Address -Progress Plain -NoCache `
                    -InformationVariable lines 6>$null -ErrorAction Stop -Secret 'id=1,src=token', 'type=file,id=2,source=token', 'type=env', 'id=4', 'src=BUILDKIT_TEST_TOKEN', 'id=3', 'src=token',
                    'id=5,env=BUILDKIT_TEST_TOKEN', 'type=env,id=6,src=BUILDKIT_TEST_TOKEN', 'id=token', 'id=BUILDKIT_TEST_TOKEN',
                    @{ Id = '7'; Src = 'token' }, @{ id = '8'; env = 'BUILDKIT_TEST_TOKEN' },
                    @{ id = '9'; value = ConvertTo-SecureString 'sécure' -AsPlainText },
                    @{ id = '10'; value = [pscredential]::new('user', (ConvertTo-SecureString 'password' -AsPlainText)) },
                    @{ id = '11'; value = 'plain' }, @{ id = '12'; value = [Text.Encoding]::UTF8.GetBytes('bytes') },
                    @{ id = '13'; script = { 'from a script' } }, @{ id = '14'; script = { ConvertTo-SecureString 'secure' -AsPlainText } },
                    @{ id = '15'; script = { 'one', 'two' } }, @{ id = '16'; script = { [byte[]] (98, 121) } }, @{ id = '17'; script = { , [byte[]] (98, 121) } },
                    @{ '18' = ConvertTo-SecureString 'in a map' -AsPlainText; '19' = { 'a script in a map' }; '20' = [pscredential]::new('u', (ConvertTo-SecureString 'p' -AsPlainText)) },
                    ([BuildKit.Solve.SolveSecret, BuildKit.Core]::FromFile('21', 'token'))
            }
            finally {
                Pop-Location
                $env:BUILDKIT_TEST_TOKEN = $null
            }
            $hashes = @{}
            foreach ($line in $lines) { if ("$line" -match '([0-9a-f]{64})  /run/secrets/(\S+)') { $hashes[$Matches[2]] = $Matches[1] } }
        }

        AfterAll { Disconnect-BuildKit $engine.Address }

        It 'is taken as <Name>' -ForEach @(
            @{ Name = 'a file'; Id = 1; Value = "from a file`n" }
            @{ Name = 'a file as source, with its type'; Id = 2; Value = "from a file`n" }
            @{ Name = 'fields that PowerShell took apart'; Id = 3; Value = "from a file`n" }
            @{ Name = 'more fields that PowerShell took apart'; Id = 4; Value = 'from the environment' }
            @{ Name = 'a file named by the id alone'; Id = 'token'; Value = "from a file`n" }
            @{ Name = 'a variable'; Id = 5; Value = 'from the environment' }
            @{ Name = 'a variable as source'; Id = 6; Value = 'from the environment' }
            @{ Name = 'a variable named by the id alone'; Id = 'BUILDKIT_TEST_TOKEN'; Value = 'from the environment' }
            @{ Name = 'a file in a hashtable'; Id = 7; Value = "from a file`n" }
            @{ Name = 'a variable in a hashtable'; Id = 8; Value = 'from the environment' }
            @{ Name = 'a SecureString'; Id = 9; Value = 'sécure' }
            @{ Name = 'a credential'; Id = 10; Value = 'password' }
            @{ Name = 'a text'; Id = 11; Value = 'plain' }
            @{ Name = 'bytes'; Id = 12; Value = 'bytes' }
            @{ Name = 'a script'; Id = 13; Value = 'from a script' }
            @{ Name = 'a script that gives a SecureString'; Id = 14; Value = 'secure' }
            @{ Name = 'a script that gives lines'; Id = 15; Value = "one`ntwo" }
            @{ Name = 'a script that gives bytes'; Id = 16; Value = 'by' }
            @{ Name = 'a script that gives an array of bytes'; Id = 17; Value = 'by' }
            @{ Name = 'a SecureString under its id'; Id = 18; Value = 'in a map' }
            @{ Name = 'a script under its id'; Id = 19; Value = 'a script in a map' }
            @{ Name = 'a credential under its id'; Id = 20; Value = 'p' }
            @{ Name = 'an object'; Id = 21; Value = "from a file`n" }
        ) {
            $hashes["$Id"] | Should -Be (Get-TextHash $Value)
        }

        It 'refuses <Name> before the build' -ForEach @(
            @{ Name = 'a file that is not there'; Secret = 'id=x,src=nothing' }
            @{ Name = 'a variable that is not set'; Secret = 'id=x,env=BUILDKIT_TEST_NOTHING' }
            @{ Name = 'an id that is neither'; Secret = 'id=BUILDKIT_TEST_NOTHING' }
        ) {
            Invoke-BuildKitSolve $context -Secret $Secret -Builder $engine.Address -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.SecretNotFound,*'
            $failure[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
            $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Secret*'
        }
    }

    Context 'and its value<Obstacle>' -ForEach @{ Obstacle = $obstacle ? ", but: $obstacle" : '' } -Skip:([bool] $obstacle) {
        BeforeAll {
            $engine = Get-TestEngine docker28 -Private
            $value = 'Leak' + [guid]::NewGuid().ToString('n')
            $env:BUILDKIT_TEST_TOKEN = $value
            $secretFile = Join-Path (New-Context @{ secret = $value }) secret
            $transcript = Join-Path $context 'transcript.txt'
            # Everything that can be shown, in a shell of its own.
            $output = Invoke-NewShell (@"
`$manifest, `$builder, `$base, `$context, `$file, `$transcript = '$(Get-Manifest)', '$($engine.Address)', '$($engine.BaseImage)', '$context', '$secretFile', '$transcript'
"@ + @'

$null = Start-Transcript $transcript
Import-Module $manifest
$secure = ConvertTo-SecureString $env:BUILDKIT_TEST_TOKEN -AsPlainText
$secrets = "id=file,src=$file", 'id=variable,env=BUILDKIT_TEST_TOKEN',
    @{ id = 'text'; value = $env:BUILDKIT_TEST_TOKEN }, @{ id = 'script'; script = { $env:BUILDKIT_TEST_TOKEN } },
    @{ id = 'bytes'; value = [Text.Encoding]::UTF8.GetBytes($env:BUILDKIT_TEST_TOKEN) }, @{ secure = $secure; credential = [pscredential]::new('u', $secure) },
    [BuildKit.Solve.SolveSecret, BuildKit.Core]::FromValue('object', [Text.Encoding]::UTF8.GetBytes($env:BUILDKIT_TEST_TOKEN))
$secrets[-1] | Format-List * -Force
$secrets[-1] | ConvertTo-Json -Depth 6
$mounts = 'file', 'variable', 'text', 'script', 'bytes', 'secure', 'credential', 'object' |
    ForEach-Object { "--mount=type=secret,required=true,id=$_ --mount=type=secret,id=$_,env=ENV_$_" }
$step = "FROM $base`nRUN $mounts sha256sum /run/secrets/*; printf %s `$ENV_text | sha256sum"
$common = @{ Builder = $builder; Secret = $secrets; NoCache = $true; Verbose = $true; Debug = $true }
foreach ($mode in [enum]::GetNames((Get-Command Invoke-BuildKitSolve).Parameters.Progress.ParameterType)) {
    Invoke-BuildKitSolve $context -Dockerfile "$step; exit 9" -Progress $mode @common
}
$result = Invoke-BuildKitSolve $context -Dockerfile $step -Progress Plain @common
$result | Format-List * -Force
$result | ConvertTo-Json -Depth 6
$result | Export-Clixml $context/result.xml -Depth 6
[IO.File]::ReadAllText("$context/result.xml")
try { Invoke-BuildKitSolve $context -Dockerfile ($step -replace 'id=text', 'id=missing') -Progress Plain @common -ErrorAction Stop } catch { $_ | Out-String }
try { Invoke-BuildKitSolve $context -Dockerfile $step -Secret "id=$file", "src=$context" -Builder $builder -ErrorAction Stop } catch { $_ | Out-String }
Get-Error -Newest 5
$Error | Format-List * -Force
$Error | ForEach-Object { $_.Exception.ToString(); $_.InvocationInfo | Format-List * -Force }
$null = Stop-Transcript
'@)
            $refs = Invoke-TestDocker $engine buildx history ls --format '{{.Ref}}'
        }

        AfterAll {
            $env:BUILDKIT_TEST_TOKEN = $null
            Remove-TestEngine $engine
        }

        It 'reaches the steps' {
            ($output -match "$(Get-TextHash $value)  /run/secrets/").Count | Should -BeGreaterOrEqual 8
            ($output -match "$(Get-TextHash $value)  -").Count | Should -BeGreaterOrEqual 1
            $output -match 'exit code: 9' | Should -Not -BeNullOrEmpty
            $output -match 'secret missing: not found' | Should -Not -BeNullOrEmpty
        }

        It 'is in no stream, error, object or transcript' {
            $output -match $value | Should -BeNullOrEmpty
            [IO.File]::ReadAllText($transcript) | Should -BeLike '*/run/secrets/*'
            [IO.File]::ReadAllText($transcript) | Should -Not -BeLike "*$value*"
        }

        It 'is in no record of the history' {
            $refs.Count | Should -BeGreaterThan 4
            foreach ($ref in $refs) {
                # The log comes on the error stream; only a build that succeeded has a provenance.
                $log = Invoke-TestDocker $engine buildx history logs $ref 2>&1
                $record = Invoke-TestDocker $engine buildx history inspect $ref --format json
                if ("$record" -like '*slsa.dev*') { $provenance = Invoke-TestDocker $engine buildx history inspect attachment --type https://slsa.dev/provenance/v0.2 $ref }
                "$log" | Should -BeLike '*mount=type=secret*'
                "$record" | Should -BeLike '*CompletedAt*'
                "$log$record$provenance" | Should -Not -BeLike "*$value*"
            }
            "$provenance" | Should -BeLike '*"buildType"*'
        }

        It 'is in no file of the daemon' {
            grep -rlaF 'mount=type=secret' $engine.Folder | Should -Not -BeNullOrEmpty
            grep -rlaF $value $engine.Folder | Should -BeNullOrEmpty
        }
    }
}
