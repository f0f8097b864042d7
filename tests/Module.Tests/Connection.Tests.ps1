BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle docker28, buildkitd-tls
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'Connections' -Skip:([bool] $obstacle) {
    BeforeAll {
        $docker = Get-TestEngine docker28
        $tls = Get-TestEngine buildkitd-tls
        $certificates = @{ CACertificate = $tls.Ca; ClientCertificate = $tls.Cert; ClientKey = $tls.Key; ServerName = 'localhost' }
    }

    AfterEach { Disconnect-BuildKit }

    It 'are opened once an endpoint' {
        Connect-BuildKit $docker.Address | Should -Be (Connect-BuildKit $docker.Address)
    }

    It 'are used by calls that give the same address, certificates and all' {
        $null = Connect-BuildKit $tls.Address @certificates
        (Get-BuildKitServer $tls.Address).Kind | Should -Be 'Buildkitd'
        Disconnect-BuildKit $tls.Address
        { Get-BuildKitServer $tls.Address -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.*'
    }

    It 'take certificates relative to the current location' {
        Push-Location (Split-Path $tls.Ca)
        try { Connect-BuildKit $tls.Address -CACertificate ca.pem -ClientCertificate cert.pem -ClientKey key.pem -ServerName localhost | Get-BuildKitWorker | Should -Not -BeNullOrEmpty }
        finally { Pop-Location }
    }

    It 'without a client certificate are refused by a daemon that wants one' {
        { Connect-BuildKit $tls.Address -CACertificate $tls.Ca -ServerName localhost -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.Tls*'
    }

    It 'can be piped, and closed' {
        $connection = Connect-BuildKit $docker.Address
        $connection | Get-BuildKitServer | Get-BuildKitWorker | Should -Not -BeNullOrEmpty
        $connection | Disconnect-BuildKit
        { Get-BuildKitServer $connection -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ConnectionClosed,*'
        Get-BuildKitServer $docker.Address | Should -Not -BeNullOrEmpty
    }

    It 'are chosen by the environment, and -Verbose says so' {
        $env:BUILDKIT_HOST = $docker.Address
        try {
            $messages = Get-BuildKitServer -Verbose 4>&1
            $messages.Where{ $_ -is [Management.Automation.VerboseRecord] }.Message | Should -Be "Builder: $($docker.Address), chosen by `$env:BUILDKIT_HOST."
        }
        finally { Reset-Environment }
    }

    It 'show their views' {
        Connect-BuildKit $docker.Address | Out-String | Should -Match "Address +: $([regex]::Escape($docker.Address))"
        Get-BuildKitWorker $docker.Address | Out-String | Should -Match 'Labels +: '
    }
}
