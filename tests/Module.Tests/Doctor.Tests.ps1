BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $tables = [ordered]@{
        'docker28'      = @{ ImageStore = 'Warning' }
        'buildkitd-tls' = @{ EngineApi = 'Skipped'; DockerInDocker = 'Skipped'; DiskSpace = 'Skipped'; Tls = 'Pass' }
    }
    $daemons = Get-EngineCase $tables.Keys | ForEach-Object { $_ + @{ Expected = $tables[$_.Kind] } }

    # A user who may use nothing needs a PowerShell that it may run: one below /root is not.
    $nobody = if (-not $IsLinux -or (id -u) -ne 0) { 'needs root, to become somebody else' }
    else {
        $null = setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/tmp ([Environment]::ProcessPath) -NoProfile -Command 1 2>&1
        if ($LASTEXITCODE -ne 0) { "'nobody' may not run $([Environment]::ProcessPath)" }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $names = [BuildKit.Diagnosis.BuildKitDoctor, BuildKit.Core]::CheckNames
    $env:DOCKER_CONFIG = (New-Item TestDrive:/config -ItemType Directory).FullName

    function Get-ListeningSocket([string] $Path) {
        $socket = [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified')
        $socket.Bind([Net.Sockets.UnixDomainSocketEndPoint]::new($Path))
        $socket.Listen()
        $socket
    }
}

AfterAll { Reset-Environment }

Describe 'Test-BuildKit on <Kind>' -ForEach $daemons {
    Context 'that is there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $engine = Get-TestEngine $Kind
            $null = Connect-TestEngine $engine
            $checks = @(Test-BuildKit $engine.Address -TimeoutSec 60)
        }

        AfterAll { Disconnect-BuildKit }

        It 'does every check in order' {
            $checks.Name | Should -Be $names
            $checks | Should -BeOfType ([BuildKit.Diagnosis.BuildKitCheck, BuildKit.Core])
        }

        It 'ends each as it has to' {
            foreach ($check in $checks) {
                $default = $check.Name -in 'NodeStatus', 'BuilderImage', 'Tls' ? 'Skipped' : 'Pass'
                # How long a build takes and how full the disk is are the machine's business.
                if ($check.Name -in 'TrialBuild', 'DiskSpace' -and $check.Status -eq 'Warning') { continue }
                "$check" | Should -BeLike "$($Expected[$check.Name] ?? $default): $($check.Name): *"
                [bool] $check.Recommendation | Should -Be ($check.Status -in 'Warning', 'Fail')
            }
        }

        It 'gives a bool with -Quiet' {
            Test-BuildKit $engine.Address -Quiet -TimeoutSec 60 | Should -BeExactly $true
        }
    }
}

Describe 'Test-BuildKit where no daemon answers' {
    It 'says so of a socket that is not there, and skips what needs it' {
        $checks = Test-BuildKit unix:///does/not/exist.sock -ErrorAction Stop
        $checks.Name | Should -Be $names
        $connection = $checks | Where-Object Name -EQ Connection
        $connection.Status | Should -Be Fail
        $connection.ErrorId | Should -Be BuildKit.SocketNotFound
        $connection.Recommendation | Should -BeLike 'Start the Docker Engine*'
        ($checks | Where-Object Name -In ImageStore, Cache, Clock).Detail | Should -BeLike 'Not checked: Connection has failed.'
    }

    It 'says so of a socket that a killed daemon left behind' {
        $path = (New-Item TestDrive:/dead -ItemType Directory).FullName
        $socket = Get-ListeningSocket $path/first
        Move-Item $path/first $path/sock
        $socket.Dispose()
        $check = Test-BuildKit unix://$path/sock -Name Connection
        "$check" | Should -BeLike 'Fail: Connection: *no daemon listens on it.'
    }

    It 'says so in time of a peer that never answers, and can be stopped' {
        $path = (New-Item TestDrive:/slow -ItemType Directory).FullName
        $socket = Get-ListeningSocket $path/sock
        try {
            "$(Test-BuildKit unix://$path/sock -Name Connection -TimeoutSec 1)" | Should -BeLike 'Fail: Connection: *did not answer within 1 s.'
            $shell = Start-Shell 'Test-BuildKit $address -TimeoutSec 3600' @{ address = "unix://$path/sock" }
            Wait-Until { $shell.Shell.InvocationStateInfo.State -eq 'Running' }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $shell.Shell.Stop()
            $watch.Elapsed.TotalSeconds | Should -BeLessThan 30
            $shell.Shell.InvocationStateInfo.State | Should -Be Stopped
        }
        finally { $socket.Dispose() }
    }

    It 'says so of a name that nobody knows' {
        $checks = Test-BuildKit no-such-builder -Name Connection
        $checks.Name | Should -Be Endpoint, Connection
        $checks.Status | Should -Be Fail, Skipped
    }

    It 'is false with -Quiet, whatever was asked for' {
        Test-BuildKit unix:///does/not/exist.sock -Quiet | Should -BeExactly $false
        Test-BuildKit unix:///does/not/exist.sock -Name Cache -Quiet | Should -BeExactly $false
    }

    It "says so of a socket without permission$($nobody ? ", but: $nobody" : '')" -Skip:([bool] $nobody) {
        $folder = (New-Item TestDrive:/nobody -ItemType Directory).FullName
        $root = Split-Path (Get-Manifest)
        Copy-Item $root/BuildKit.psd1, $root/lib $folder -Recurse
        $userHome = (New-Item $folder/home -ItemType Directory).FullName
        $socket = Get-ListeningSocket $folder/sock
        try {
            chmod -R a+rX $folder
            chmod 660 $folder/sock
            chown 65534 $userHome
            $script = "Import-Module $folder/BuildKit.psd1; Test-BuildKit unix://$folder/sock -Name Connection | ForEach-Object { `"`$_`"; `$_.ErrorId; `$_.Recommendation }"
            $lines = setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$userHome DOCKER_CONFIG=$userHome ([Environment]::ProcessPath) -NoProfile -NonInteractive -Command $script 2>&1
        }
        finally { $socket.Dispose() }
        $lines | Should -HaveCount 3
        $lines[0] | Should -BeLike "Fail: Connection: *the user 'nobody' may not use the socket (its mode is 660)."
        $lines[1] | Should -Be BuildKit.SocketPermissionDenied
        $lines[2] | Should -BeLike "Join the group that owns the socket ('docker' as a rule)*"
    }
}

Describe 'Test-BuildKit with the wrong certificates' -Skip:([bool] (Get-TestEngineObstacle buildkitd-tls)) {
    BeforeAll {
        $engine = Get-TestEngine buildkitd-tls
        $env:DOCKER_HOST = $engine.Address
        $env:DOCKER_TLS_VERIFY = '1'
        $env:DOCKER_CERT_PATH = (New-Item TestDrive:/certificates -ItemType Directory).FullName
    }

    AfterAll { $env:DOCKER_HOST = $env:DOCKER_TLS_VERIFY = $env:DOCKER_CERT_PATH = $null }

    It 'says whose they are, and which setting they come from' {
        $null = openssl req -x509 -newkey rsa:2048 -nodes -keyout $env:DOCKER_CERT_PATH/key.pem -out $env:DOCKER_CERT_PATH/ca.pem -subj /CN=another-authority -days 10 2>&1
        Copy-Item $env:DOCKER_CERT_PATH/ca.pem $env:DOCKER_CERT_PATH/cert.pem
        $checks = Test-BuildKit -Name Endpoint, Tls, Connection
        "$($checks[0])" | Should -BeLike 'Pass: Endpoint: *chosen by $env:DOCKER_HOST.'
        "$($checks[1])" | Should -BeLike "Warning: Tls: The client's certificate 'CN=another-authority' runs out in *"
        "$($checks[2])" | Should -BeLike "Fail: Connection: The certificate of * does not come from the authorities in '$env:DOCKER_CERT_PATH/ca.pem'."
        $checks[2].Recommendation | Should -BeLike 'Give the CA file*'
    }

    It 'says that one is missing' {
        Remove-Item $env:DOCKER_CERT_PATH/*
        Copy-Item $engine.Ca $env:DOCKER_CERT_PATH
        $check = Test-BuildKit -Name Connection
        "$check" | Should -BeLike 'Fail: Connection: *wants a client certificate, and none was given*'
    }
}

Describe 'Test-BuildKit' {
    It 'takes the names of checks with wildcards, and refuses others' {
        (Test-BuildKit unix:///does/not/exist.sock -Name docker*, endpoint).Name | Should -Be DockerConfig, Endpoint, Connection, DockerInDocker -Because 'what fails is told too'
        Test-BuildKit unix:///does/not/exist.sock -Name nonsense -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.CheckUnknown,*'
        Test-BuildKit unix:///does/not/exist.sock -Name DockerConfig, nonsense -Quiet -ErrorAction SilentlyContinue | Should -BeExactly $false
        Test-BuildKit unix:///does/not/exist.sock -Name nothing* -Quiet | Should -BeExactly $false
        Test-BuildKit unix:///does/not/exist.sock -Name DockerConfig -Quiet | Should -BeExactly $true
    }

    It 'completes them' {
        $line = 'Test-BuildKit -Name Bu'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be BuilderStore, BuilderImage, BuildKit
    }

    It 'takes several builders, and streams' {
        $checks = 'unix:///one.sock', 'unix:///two.sock' | Test-BuildKit -Name Connection
        $checks.Builder | Should -Be 'unix:///one.sock', 'unix:///two.sock'
        (Test-BuildKit unix:///one.sock | Select-Object -First 1).Name | Should -Be DockerConfig
    }

    It 'looks for credentials, and shows none' {
        $secret = [guid]::NewGuid().ToString('n')
        $auth = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("me:$secret"))
        Set-Content $env:DOCKER_CONFIG/config.json (@{ auths = @{ 'r.example' = @{ auth = $auth } } } | ConvertTo-Json -Depth 5)
        try {
            $checks = Test-BuildKit unix:///one.sock -Name RegistryCredentials -Registry r.example, other.example
            $checks.Target | Should -Be r.example, other.example
            $checks.Status | Should -Be Pass, Warning
            $checks[1].Recommendation | Should -Be 'docker login other.example'
            $checks | ConvertTo-Json -Depth 5 | Should -Not -BeLike "*$secret*"
            $checks | Format-List * | Out-String | Should -Not -BeLike "*$auth*"
        }
        finally { Remove-Item $env:DOCKER_CONFIG/config.json }
    }

    It 'shows what to do, below what it found' {
        $text = Test-BuildKit unix:///one.sock -Name DockerConfig, Connection, Clock | Out-String -Width 200
        $text | Should -Match 'This computer'
        $text | Should -Match 'Builder unix:///one.sock'
        $text | Should -Match '(?m)^✓ Pass +DockerConfig +There is no '
        $text | Should -Match "(?m)^✗ Fail +Connection +Can't connect to unix:///one.sock: there is no such socket\.\r?\n +→ Start the Docker Engine"
        $text | Should -Match '(?m)^- Skipped Clock +Not checked: Connection has failed\.'
    }

    It 'shows colours where there are any' {
        $rendering = $PSStyle.OutputRendering
        try {
            $PSStyle.OutputRendering = 'Ansi'
            Test-BuildKit unix:///one.sock -Name Connection | Out-String | Should -Match ([regex]::Escape("$($PSStyle.Foreground.BrightRed)✗ Fail"))
            $PSStyle.OutputRendering = 'PlainText'
            Test-BuildKit unix:///one.sock -Name Connection | Out-String | Should -Not -Match "`e"
        }
        finally { $PSStyle.OutputRendering = $rendering }
    }

    It 'has a line for each check in docs/checks.md' {
        $page = Get-Content "$(Split-Path (Get-Manifest))/docs/checks.md" | Where-Object { $_ -match '^\| `(\w+)` \|' } | ForEach-Object { $Matches[1] }
        $page | Should -Be $names
    }
}
