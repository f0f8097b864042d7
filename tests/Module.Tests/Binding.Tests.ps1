BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
    $context = New-Context @{ Dockerfile = "FROM scratch`n"; 'sub/x' = '' }
    # Nobody listens there: what is wrong with the arguments is found before.
    $nowhere = @{ Builder = 'unix:///nowhere.sock'; Progress = 'None'; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
}

Describe 'Invoke-BuildKitSolve' {
    It 'has the parameters of the field, and no others' {
        $names = (Get-Command Invoke-BuildKitSolve).Parameters.Keys | Where-Object { $_ -notin [Management.Automation.Cmdlet]::CommonParameters }
        $names | Sort-Object | Should -Be (
            'AddHost', 'Allow', 'Annotation', 'AsJob', 'Attest', 'BuildArg', 'BuildContext', 'Builder', 'CacheFrom', 'CacheTo', 'CgroupParent', 'Context', 'Dockerfile', 'Frontend',
            'FrontendOption', 'ImageIdFile', 'Label', 'Load', 'LoadInto', 'MetadataFile', 'Network', 'NoCache', 'NoCacheFilter', 'Output', 'Platform', 'Progress', 'Provenance', 'Pull',
            'Push', 'Sbom', 'Secret', 'ShmSize', 'SourceDateEpoch', 'Ssh', 'Tag', 'Target', 'Ulimit', 'Confirm', 'WhatIf' | Sort-Object)
    }

    It 'takes <Name> as the context' -ForEach @(
        @{ Name = 'a path'; Call = { Invoke-BuildKitSolve $context @nowhere } }
        @{ Name = 'a path from the pipeline'; Call = { $context | Invoke-BuildKitSolve @nowhere } }
        @{ Name = 'a folder object'; Call = { Get-Item $context | Invoke-BuildKitSolve @nowhere } }
        @{ Name = 'a property'; Call = { [pscustomobject]@{ Context = $context } | Invoke-BuildKitSolve @nowhere } }
        @{ Name = 'the current location'; Call = { Push-Location $context; try { Invoke-BuildKitSolve @nowhere } finally { Pop-Location } } }
        @{ Name = 'a relative path'; Call = { Push-Location $context; try { Invoke-BuildKitSolve sub @nowhere } finally { Pop-Location } } }
        @{ Name = 'a path on a drive'; Call = { Invoke-BuildKitSolve (Join-Path TestDrive: (Split-Path $context -Leaf)) @nowhere } }
        @{ Name = 'a URL'; Call = { Invoke-BuildKitSolve https://example.invalid/x.git @nowhere } }
        @{ Name = 'a git address'; Call = { Invoke-BuildKitSolve git@example.invalid:x/y.git @nowhere } }
    ) {
        . $Call
        Get-ErrorId $failure | Should -Be 'BuildKit.SocketNotFound'
    }

    It 'refuses <Name>' -ForEach @(
        @{ Name = 'a folder that is not there'; Call = { Invoke-BuildKitSolve /nowhere @nowhere }; Id = 'BuildKit.ContextNotFound'; Category = 'ObjectNotFound' }
        @{ Name = 'a file as context'; Call = { Invoke-BuildKitSolve $context/Dockerfile @nowhere }; Id = 'BuildKit.ContextNotFound'; Category = 'InvalidArgument' }
        @{ Name = 'a closed stream'; Call = { $closed = [IO.MemoryStream]::new(); $closed.Dispose(); Invoke-BuildKitSolve $closed @nowhere }; Id = 'BuildKit.ContextUnreadable'; Category = 'InvalidArgument' }
        @{ Name = 'a drive that is not there'; Call = { Invoke-BuildKitSolve nodrive:/x @nowhere }; Id = 'BuildKit.InvalidPath'; Category = 'InvalidArgument' }
        @{ Name = 'a drive without files'; Call = { Invoke-BuildKitSolve env:/PATH @nowhere }; Id = 'BuildKit.InvalidPath'; Category = 'InvalidArgument' }
        @{ Name = 'a Dockerfile that is not there'; Call = { Invoke-BuildKitSolve $context -Dockerfile no.Dockerfile @nowhere }; Id = 'BuildKit.DockerfileNotFound'; Category = 'ObjectNotFound' }
    ) {
        . $Call
        Get-ErrorId $failure | Should -Be $Id
        $failure | Should -HaveCount 1
        $failure[0].CategoryInfo.Category | Should -Be $Category
        $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'says that the Dockerfile lies in the context, where it does' {
        Push-Location /
        try { Invoke-BuildKitSolve $context -Dockerfile Dockerfile @nowhere } finally { Pop-Location }
        Get-ErrorId $failure | Should -Be 'BuildKit.DockerfileNotFound'
        $failure[0].ErrorDetails.RecommendedAction | Should -BeLike "*'$context/Dockerfile'*"
    }

    It 'takes <Name> as the Dockerfile' -ForEach @(
        @{ Name = 'a path'; Value = { "$context/Dockerfile" } }
        @{ Name = 'several lines'; Value = { "FROM scratch`nCOPY . /" } }
        @{ Name = 'a line that begins with FROM'; Value = { 'from scratch' } }
        @{ Name = 'a line that begins with a comment'; Value = { '# syntax=docker/dockerfile:1' } }
    ) {
        Invoke-BuildKitSolve $context -Dockerfile (. $Value) @nowhere
        Get-ErrorId $failure | Should -Be 'BuildKit.SocketNotFound'
    }

    It 'refuses the output <Name>' -ForEach @(
        @{ Name = 'without a type'; Value = 'dest=out' }
        @{ Name = 'with a field that is no pair'; Value = 'type=local,out' }
        @{ Name = 'with an attribute that PowerShell split off'; Value = 'type=image', 'push' }
        @{ Name = 'that is a number'; Value = 5 }
        @{ Name = 'that is a hashtable without a type'; Value = @{ dest = 'x' } }
    ) {
        { Invoke-BuildKitSolve $context -Output $Value -Builder unix:///nowhere.sock } | Should -Throw -ErrorId 'BuildKit.InvalidOutput,*'
    }

    It 'takes the output <Name>' -ForEach @(
        @{ Name = 'as docker users write it'; Call = { Invoke-BuildKitSolve $context -Output 'type=local,dest=out' @nowhere } }
        @{ Name = 'without quotes'; Call = { Invoke-BuildKitSolve $context -Output type=local,dest=out, type=tar,dest=x.tar @nowhere } }
        @{ Name = 'as hashtables'; Call = { Invoke-BuildKitSolve $context -Output @{ Type = 'local'; Dest = 'out' }, @{ type = 'cacheonly' } @nowhere } }
        @{ Name = 'as a folder'; Call = { Invoke-BuildKitSolve $context -Output out @nowhere } }
        @{ Name = 'with a quoted comma'; Call = { Invoke-BuildKitSolve $context -Output 'type=image,"name=a:1,b:1"' @nowhere } }
    ) {
        . $Call
        Get-ErrorId $failure | Should -Be 'BuildKit.SocketNotFound'
    }

    It 'says what it would do with -WhatIf, and asks no daemon, runs no script and writes nothing: <Name>' -ForEach @(
        @{ Name = 'a folder'; Call = { Invoke-BuildKitSolve $context -WhatIf @plan } }
        @{ Name = 'a job'; Call = { Invoke-BuildKitSolve $context -AsJob -WhatIf @plan } }
        @{ Name = 'by the preference'; Call = { $WhatIfPreference = $true; Invoke-BuildKitSolve $context @plan } }
        @{ Name = 'the bytes of an archive'; Call = { Get-Content $context/Dockerfile -AsByteStream -ReadCount 4 | Invoke-BuildKitSolve -WhatIf @plan } }
    ) {
        $plan = @{ Tag = 'app:1'; Push = $true; Output = "type=local,dest=$context/out"; Secret = @{ id = 'a'; script = { New-Item $context/ran } }; MetadataFile = "$context/meta" } + $nowhere
        . $Call | Should -BeNullOrEmpty
        $failure | Should -BeNullOrEmpty
        Get-ChildItem $context -Name | Sort-Object | Should -Be 'Dockerfile', 'sub'
        Get-Job | Should -BeNullOrEmpty
    }

    It 'shows context, names and outputs with -WhatIf' {
        $said = Invoke-NewShell "Import-Module '$(Get-Manifest)'; Invoke-BuildKitSolve '$context' -Tag app:1, app:2 -Output type=tar,dest=/out.tar -Push -WhatIf"
        $said | Should -BeLike "*`"Build app:1, app:2 (type=tar,dest=/out.tar; push)`" on target `"$context`"*"
    }

    It 'closes an archive of which it makes no job: <Name>' -ForEach @(
        @{ Name = 'a wrong option'; Option = @{ ShmSize = 'large' } }
        @{ Name = '-WhatIf'; Option = @{ WhatIf = $true } }
    ) {
        $archive = "$(New-Context @{ Dockerfile = "FROM scratch`n" })/context.tar"
        tar -C (Split-Path $archive) -cf $archive Dockerfile
        Invoke-BuildKitSolve $archive -AsJob @Option @nowhere
        (Get-ChildItem /proc/$PID/fd).LinkTarget | Should -Not -Contain $archive
    }

    It 'goes on with the next context after one that failed' {
        '/nowhere', $context | Invoke-BuildKitSolve @nowhere
        $failure.ForEach{ ($_.FullyQualifiedErrorId -split ',')[0] } | Should -Be 'BuildKit.ContextNotFound', 'BuildKit.SocketNotFound'
    }
}

Describe 'Errors' {
    It 'have a stable id, a category, a target and an advice: <Name>' -ForEach @(
        @{ Name = 'no socket'; Call = { Get-BuildKitServer unix:///nowhere.sock @quiet }; Id = 'BuildKit.SocketNotFound'; Category = 'ConnectionError' }
        @{ Name = 'a port on which nobody listens'; Call = { Get-BuildKitWorker tcp://127.0.0.1:1 @quiet }; Id = 'BuildKit.ConnectionRefused'; Category = 'ConnectionError' }
        @{ Name = 'an address without a scheme'; Call = { Connect-BuildKit /run/docker.sock @quiet }; Id = 'BuildKit.InvalidEndpoint'; Category = 'InvalidArgument' }
        @{ Name = 'a builder that is not there'; Call = { Connect-BuildKit no-such-builder @quiet }; Id = 'BuildKit.BuilderNotFound'; Category = 'ObjectNotFound' }
        @{ Name = 'a connection that is not open'; Call = { Disconnect-BuildKit nobody @quiet }; Id = 'BuildKit.NotConnected'; Category = 'ObjectNotFound' }
        @{ Name = 'certificates without an address'; Call = { Connect-BuildKit -CACertificate ca.pem @quiet }; Id = 'BuildKit.InvalidEndpoint'; Category = 'InvalidArgument' }
    ) {
        $quiet = @{ ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
        . $Call
        $failure | Should -HaveCount 1
        $failure[0].FullyQualifiedErrorId | Should -BeLike "$Id,BuildKit.Module.Commands.*Command"
        $failure[0].CategoryInfo.Category | Should -Be $Category
        $failure[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'become exceptions of the library with -ErrorAction Stop' {
        try { Get-BuildKitServer unix:///nowhere.sock -ErrorAction Stop } catch { $caught = $_ }
        $caught.Exception | Should -BeOfType ([BuildKit.BuildKitException, BuildKit.Core])
        $caught.Exception.ErrorId | Should -Be 'BuildKit.SocketNotFound'
    }
}
