BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $commands = @(Get-Command -Module BuildKit | ForEach-Object { @{ Command = $_ } })
    $parameters = @(Get-Command -Module BuildKit | ForEach-Object {
            $command = $_
            $common = [Management.Automation.Cmdlet]::CommonParameters
            $command.Parameters.Keys | Where-Object { $_ -notin $common } | ForEach-Object { @{ Command = $command; Parameter = $_ } }
        })
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $data = Import-PowerShellDataFile (Get-Manifest)
}

Describe 'The manifest' {
    It 'is valid' {
        Test-ModuleManifest (Get-Manifest) | Should -Not -BeNullOrEmpty
        $data.PowerShellVersion | Should -Be '7.4'
        $data.CompatiblePSEditions | Should -Be 'Core'
    }

    It 'exports the cmdlets of the assembly by name, and nothing else' {
        $built = [Reflection.Assembly]::LoadFrom((Get-Module BuildKit).Path.Replace('BuildKit.psd1', 'lib/BuildKit.dll')).GetExportedTypes() |
            ForEach-Object { $_.GetCustomAttributes([Management.Automation.CmdletAttribute], $false) } | ForEach-Object { "$($_.VerbName)-$($_.NounName)" } | Sort-Object
        $data.CmdletsToExport | Sort-Object | Should -Be $built
        (Get-Module BuildKit).ExportedCommands.Keys | Sort-Object | Should -Be $built
        $data.FunctionsToExport + $data.AliasesToExport + $data.VariablesToExport | Should -BeNullOrEmpty
    }

    It 'carries the version of the assembly' {
        [Diagnostics.FileVersionInfo]::GetVersionInfo((Get-Command Invoke-BuildKitSolve).DLL).ProductVersion | Should -BeLike "$($data.ModuleVersion)*"
    }
}

Describe '<Command.Name>' -ForEach $commands {
    It 'says what it returns, and has a view for it' {
        if ($Command.Name -in 'Disconnect-BuildKit', 'Remove-BuildKitBuilder') { $Command.OutputType | Should -BeNullOrEmpty; return }
        $Command.OutputType.Name | Should -Not -BeNullOrEmpty
        (Get-Help $Command.Name -Full).returnValues.returnValue.type.name | ForEach-Object Trim | Sort-Object | Should -Be ($Command.OutputType.Name | Sort-Object)
        Get-FormatData -TypeName $Command.OutputType.Name.ForEach{ [WildcardPattern]::Escape($_) } | Should -Not -BeNullOrEmpty
    }

    It 'knows which parameters are meant where the input fits several sets' {
        if ($Command.ParameterSets.Count -gt 1) { $Command.DefaultParameterSet | Should -Not -BeNullOrEmpty }
    }

    It 'has help with a description and examples that parse' {
        $help = Get-Help $Command.Name -Full
        $help.description.Text | Should -Not -BeNullOrEmpty
        @($help.examples.example).Count | Should -BeGreaterThan 0
        foreach ($example in $help.examples.example) {
            $errors = $null
            $ast = [Management.Automation.Language.Parser]::ParseInput($example.code, [ref] $null, [ref] $errors)
            $errors | Should -BeNullOrEmpty
            foreach ($call in $ast.FindAll({ $args[0] -is [Management.Automation.Language.CommandAst] -and (Get-Module BuildKit).ExportedCommands.ContainsKey("$($args[0].GetCommandName())") }, $true)) {
                $known = (Get-Command $call.GetCommandName()).Parameters.Keys
                $call.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] } | ForEach-Object { $_.ParameterName | Should -BeIn $known }
            }
        }
    }
}

Describe '<Command.Name> -<Parameter>' -ForEach $parameters {
    It 'is described as it is declared' {
        $help = Get-Help $Command.Name -Parameter $Parameter -ErrorAction Stop
        $help.description.Text | Should -Not -BeNullOrEmpty
        $declared = $Command.Parameters[$Parameter]
        $help.type.name | Should -Be $declared.ParameterType.Name
        $attribute = $declared.Attributes.Where{ $_ -is [Parameter] }[0]
        $help.position | Should -Be ($attribute.Position -ge 0 ? "$($attribute.Position)" : 'named')
        $ways = @(if ($attribute.ValueFromPipeline) { 'ByValue' }; if ($attribute.ValueFromPipelineByPropertyName) { 'ByPropertyName' })
        $help.pipelineInput | Should -Be ($ways ? "true ($($ways -join ', '))" : 'false')
        $help.globbing | Should -Be "$($declared.Attributes.Where({ $_ -is [SupportsWildcards] }).Count -gt 0)"
        $help.aliases | Should -Be ($declared.Aliases.Count ? $declared.Aliases -join ', ' : 'none')
    }
}

Describe 'about_BuildKit' {
    It 'is found' {
        Get-Help about_BuildKit | Out-String | Should -BeLike '*WHICH DAEMON BUILDS*'
    }

    It 'names every cmdlet' {
        $lines = (Get-Content "$PSScriptRoot/../../en-US/about_BuildKit.help.txt").Trim()
        (Get-Module BuildKit).ExportedCommands.Keys | Where-Object { $_ -notin $lines } | Should -BeNullOrEmpty
    }

    It 'fits a terminal of 80 columns' {
        Get-Content "$PSScriptRoot/../../en-US/about_BuildKit.help.txt" | Where-Object Length -gt 80 | Should -BeNullOrEmpty
    }
}
