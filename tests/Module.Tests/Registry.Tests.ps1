BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $nobody, $wrong, $reader = @{ Who = 'nobody'; Account = '' }, @{ Who = 'a wrong password'; Account = 'wrong' }, @{ Who = 'a reader'; Account = 'reader' }
    $cells = foreach ($kind in 'buildkitd', 'docker28') {
        foreach ($registry in 'registry-basic', 'registry-token') {
            $obstacle = Get-TestEngineObstacle $kind, $registry
            # With basic authentication a registry knows no accounts that may only read.
            @{ Kind = $kind; Registry = $registry; Refused = $registry -eq 'registry-token' ? @($nobody, $wrong, $reader) : @($nobody, $wrong); Obstacle = $obstacle ? ", but: $obstacle" : '' }
        }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    # The accounts of tests/engines; the passwords occur nowhere else.
    $accounts = @{ writer = 'wr1ter-Geheim-Passw0rd'; reader = 're4der-Geheim-Passw0rd'; wrong = 'wr0ng-Geheim-Passw0rd' }

    function ConvertTo-Base64([string] $Text) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($Text)) }

    # What docker login would leave behind; without an account what docker logout would.
    function Set-Login([string] $Registry, [string] $Account) {
        $auths = $Account ? @{ $Registry = @{ auth = ConvertTo-Base64 "$($Account -replace 'wrong', 'writer'):$($accounts[$Account])" } } : @{}
        Set-Content "$env:DOCKER_CONFIG/config.json" (@{ auths = $auths } | ConvertTo-Json -Depth 4)
    }

    function Get-Secret {
        $accounts.Values
        $accounts.GetEnumerator().ForEach{ ConvertTo-Base64 "$($_.Key -replace 'wrong', 'writer'):$($_.Value)" }
        'eyJhbGciOiJSUzI1NiIs' # the beginning of every token
    }

    function Get-Leak([string] $Text) { Get-Secret | Where-Object { $Text.Contains($_) } }
}

Describe 'A registry of kind <Registry> and <Kind>' -ForEach $cells {
    Context 'that are there<Obstacle>' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $env:DOCKER_CONFIG = (New-Item "TestDrive:/$Kind-$Registry" -ItemType Directory).FullName
            $engine = Get-TestEngine $Kind
            $store = Get-TestEngine $Registry
            $name = "$($store.Address)/pester-$([guid]::NewGuid().ToString('n').Substring(0, 8))"
            $common = @{ Context = (New-Context @{ Dockerfile = "FROM $($engine.BaseImage)`nRUN echo $name > /name`n" }); Builder = $engine.Address; Output = 'type=image,push=true' }
        }

        It 'takes an image, which can be built on then' {
            Set-Login $store.Address writer
            $result = Invoke-BuildKitSolve @common -Tag "${name}:1", "$name/two:2" -Progress None
            $result.Tags | Should -Be "${name}:1", "$name/two:2"
            $result.ImageDigest | Should -Match '^sha256:[0-9a-f]{64}$'
            $next = New-Context @{ Dockerfile = "FROM ${name}@$($result.ImageDigest)`nRUN cat /name > /next`n" }
            Set-Login $store.Address reader
            (Invoke-BuildKitSolve $next -Builder $engine.Address -Output type=cacheonly -Progress None).Steps.Name | Should -Contain '[2/2] RUN cat /name > /next'
        }

        It 'shows the push as it goes' {
            Set-Login $store.Address writer
            $lines = Invoke-BuildKitSolve @common -Tag "$name/shown:1" -Progress Plain 6>&1 | Out-String
            $lines | Should -BeLike "*pushing *$name/shown:1*"
        }

        It 'refuses <Who>, and the error says which repository and what to do' -ForEach $Refused {
            Set-Login $store.Address $Account
            $null = Invoke-BuildKitSolve @common -Tag "$name/refused:1" -Progress None -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.RegistryDenied,*'
            $failure[0].CategoryInfo.Category | Should -Be PermissionDenied
            "$($failure[0])" | Should -BeLike "*$($store.Address)*"
            "$($failure[0])" | Should -BeLike "*$($name.Split('/')[1])/refused*"
            $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*docker login*'
        }

        It 'leaves no password and no token in any stream, error, transcript or history' {
            $script = {
                param($Manifest, $Context, $Builder, $Name, $Transcript)
                $null = Start-Transcript $Transcript
                Import-Module $Manifest
                $VerbosePreference = $DebugPreference = $InformationPreference = 'Continue'
                foreach ($login in 'writer', 'wrong', 'nobody') {
                    Copy-Item "$env:DOCKER_CONFIG/$login.json" "$env:DOCKER_CONFIG/config.json"
                    foreach ($progress in 'Plain', 'Tty') {
                        Invoke-BuildKitSolve $Context -Builder $Builder -Tag "$Name/leak:1" -Output type=image,push=true -Progress $progress -Verbose -Debug *>&1 |
                            Format-List * -Force | Out-String -Width 4096
                    }
                }
                foreach ($record in $Error) {
                    $record | Format-List * -Force | Out-String -Width 4096
                    $record | Get-Error | Out-String -Width 4096
                    for ($exception = $record.Exception; $exception; $exception = $exception.InnerException) {
                        $exception | Format-List * -Force | Out-String -Width 4096
                        "$exception"
                    }
                }
                Get-History | Format-List * -Force | Out-String
                "errors: $($Error.Count)"
                $null = Stop-Transcript
            }
            foreach ($account in 'writer', 'wrong', '') {
                Set-Login $store.Address $account
                Copy-Item "$env:DOCKER_CONFIG/config.json" "$env:DOCKER_CONFIG/$($account ? $account : 'nobody').json"
            }
            $transcript = "$env:DOCKER_CONFIG/transcript"
            $values = (Get-Manifest), $common.Context, $engine.Address, $name, $transcript | ForEach-Object { "'$_'" }
            $output = Invoke-NewShell "& { $script } $values" | Out-String
            $transcript = Get-Content $transcript -Raw

            $output | Should -BeLike "*ImageDigest*sha256:*BuildKit.RegistryDenied*errors: 4*"
            $transcript | Should -BeLike "*$name/leak*"
            Get-Leak $output | Should -BeNullOrEmpty
            Get-Leak $transcript | Should -BeNullOrEmpty
        }
    }
}

AfterAll {
    Reset-Environment
    Disconnect-BuildKit
}
