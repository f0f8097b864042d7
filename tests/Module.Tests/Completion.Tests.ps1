BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'Completion' {
    It 'knows <Line>' -ForEach @(
        @{ Line = 'Invoke-BuildKitSolve . -Platform linux/arm'; Values = 'linux/arm64', 'linux/arm/v7', 'linux/arm/v6' }
        @{ Line = 'Invoke-BuildKitSolve . -Output type=o'; Values = "'type=oci,dest='" }
        @{ Line = 'Invoke-BuildKitSolve . -Progress Pl'; Values = 'Plain' }
        @{ Line = 'Invoke-BuildKitSolve . -Progress '; Values = 'Auto', 'None', 'Plain', 'Quiet', 'RawJson', 'Tty' }
    ) {
        Complete $Line | Sort-Object | Should -Be ($Values | Sort-Object)
    }

    It 'keeps the quote that was typed' {
        Complete 'Invoke-BuildKitSolve . -Output "type=oci' | Should -Be '"type=oci,dest="'
    }

    Context 'of stages' {
        BeforeAll {
            $context = New-Context @{
                'Dockerfile'      = "FROM a AS build`nFROM --platform=linux/amd64 b as test`n# FROM c AS commented`nFROM build`n"
                'sub/other.build' = "FROM x AS elsewhere`n"
            }
        }

        It 'reads the Dockerfile of the context' {
            Complete "Invoke-BuildKitSolve '$context' -Target " | Should -Be 'build', 'test'
        }

        It 'reads the Dockerfile that is named, relative to the current location' {
            Push-Location $context
            try { Complete 'Invoke-BuildKitSolve -Dockerfile sub/other.build -Target e' | Should -Be 'elsewhere' }
            finally { Pop-Location }
        }

        It 'stays silent where there is none' {
            Complete 'Invoke-BuildKitSolve /nowhere -Target x' | Should -BeNullOrEmpty
        }
    }

    Context 'of builders' {
        BeforeAll {
            # Open connections are completed too.
            Disconnect-BuildKit
            $env:DOCKER_CONFIG = New-Context @{
                'contexts/meta/1/meta.json' = '{"Name":"farm","Endpoints":{"docker":{"Host":"unix:///nowhere.sock"}}}'
                'contexts/meta/2/meta.json' = 'broken'
            }
        }

        AfterAll { Reset-Environment }

        It 'lists docker contexts' {
            Complete 'Get-BuildKitServer ' | Should -Be 'default', 'farm'
            Complete 'Invoke-BuildKitSolve . -Connection f' | Should -Be 'farm'
        }
    }
}
