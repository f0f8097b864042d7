BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $manifest = Get-Manifest
    $root = Split-Path $manifest
    # Says which assemblies of these names are loaded, and where.
    $report = @'
        [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -in 'BuildKit', 'BuildKit.Core', 'Google.Protobuf' } |
            ForEach-Object { '{0} {1} {2}' -f $_.GetName().Name, $_.GetName().Version, [Runtime.Loader.AssemblyLoadContext]::GetLoadContext($_).Name } | Sort-Object
'@
    # An assembly of the name Google.Protobuf that is not Google's, as another module might bring it in another version.
    $other = Join-Path (Get-PSDrive TestDrive).Root Google.Protobuf.dll
    # PowerShell brings the compiler along, and loads it at the first Add-Type alone.
    'Microsoft.CodeAnalysis', 'Microsoft.CodeAnalysis.CSharp' | ForEach-Object { $null = [Reflection.Assembly]::Load($_) }
    $tree = [Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree]::ParseText('[assembly: System.Reflection.AssemblyVersion("99.0.0.0")] namespace Other { public class Message { public string Text => "other"; } }')
    $references = [Microsoft.CodeAnalysis.MetadataReference[]] ('System.Runtime', 'System.Private.CoreLib').ForEach{ [Microsoft.CodeAnalysis.MetadataReference]::CreateFromFile([Reflection.Assembly]::Load($_).Location) }
    $options = [Microsoft.CodeAnalysis.CSharp.CSharpCompilationOptions]::new('DynamicallyLinkedLibrary')
    $compilation = [Microsoft.CodeAnalysis.CSharp.CSharpCompilation]::Create('Google.Protobuf', [Microsoft.CodeAnalysis.SyntaxTree[]] $tree, $references, $options)
    $emitted = [Microsoft.CodeAnalysis.FileSystemExtensions]::Emit($compilation, $other)
    if (-not $emitted.Success) { throw $emitted.Diagnostics }
    # A call that parses messages, and fails only because nobody listens.
    $use = '$null = Get-BuildKitServer unix:///nowhere.sock -ErrorAction SilentlyContinue -ErrorVariable failure; if ($failure[0].FullyQualifiedErrorId -notlike "BuildKit.*") { throw $failure }' +
        '; $null = [Runtime.Loader.AssemblyLoadContext]::All.Where{ $_.Name -eq "BuildKit" }[0].LoadFromAssemblyName("Google.Protobuf")'
}

Describe 'Loading' {
    It 'loads the cmdlets into the default context, and nothing of the library' {
        Invoke-NewShell "Import-Module '$manifest'; $report" | Should -BeLike 'BuildKit * Default'
    }

    It 'loads the library into a context of its own' {
        Invoke-NewShell "Import-Module '$manifest'; $use; $report" | ForEach-Object { $_ -replace ' [\d.]+' } | Should -Be 'BuildKit Default', 'BuildKit.Core BuildKit', 'Google.Protobuf BuildKit'
    }

    It 'stands beside another Google.Protobuf that was loaded <When>' -ForEach @{ When = 'before'; First = $true }, @{ When = 'after'; First = $false } {
        $load = "Add-Type -Path '$other'; [Other.Message]::new().Text"
        $mine = "Import-Module '$manifest'; $use"
        $lines = Invoke-NewShell (($First ? "$load; $mine" : "$mine; $load") + "; $report")
        $lines | Should -Contain 'other'
        $lines | Should -Contain 'Google.Protobuf 99.0.0.0 Default'
        $lines -like 'Google.Protobuf 3.* BuildKit' | Should -HaveCount 1
    }

    It 'does not answer for Google.Protobuf in the default context' {
        Invoke-NewShell "Import-Module '$manifest'; $use; try { [Reflection.Assembly]::Load('Google.Protobuf').Location } catch { 'not found' }" | Should -Be 'not found'
    }

    It 'declares no public type that needs the library before it can be found' {
        Invoke-NewShell "[Reflection.Assembly]::LoadFrom('$root/lib/BuildKit.dll').GetExportedTypes().Name" | Should -Contain 'InvokeBuildKitSolveCommand'
    }

    It 'can be imported, removed and imported again, in several runspaces' {
        Invoke-NewShell "1..2 | ForEach-Object { Import-Module '$manifest'; $use; Remove-Module BuildKit }; Import-Module '$manifest' -Force; Import-Module '$manifest' -Force; $use;
            1..2 | ForEach-Object -Parallel { Import-Module '$manifest'; $use }; 'done'" | Should -Be 'done'
    }

    It 'takes images compiled ahead of time where there are some for this runtime' {
        $images = "$root/lib/core/net$([Environment]::Version.Major).0-$([Runtime.InteropServices.RuntimeInformation]::RuntimeIdentifier)"
        $expected = (Test-Path $images) ? $images : "$root/lib/core"
        Invoke-NewShell "Import-Module '$manifest'; [BuildKit.Solve.SolveRequest, BuildKit.Core].Assembly.Location" | Should -Be (Join-Path $expected BuildKit.Core.dll)
    }
}
