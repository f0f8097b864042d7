BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle buildkitd
    $because = $obstacle ? ", but: $obstacle" : ''
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)

    # A layout whose blobs say no more than that they are there, for what is about paths, pipes and names.
    function New-TestLayout([string] $Path, [string[]] $Name, [switch] $Differ) {
        New-Item -ItemType Directory "$Path/blobs/sha256" -Force | Out-Null
        '{"imageLayoutVersion":"1.0.0"}' | Set-Content -NoNewline -LiteralPath "$Path/oci-layout"
        $manifests = foreach ($i in 0..($Name.Count - 1)) {
            $config = Add-Blob $Path "{`"architecture`":`"amd64`",`"os`":`"linux`",`"n`":$($Differ ? $i : 0)}"
            $manifest = Add-Blob $Path "{`"schemaVersion`":2,`"config`":{`"mediaType`":`"application/vnd.oci.image.config.v1+json`",$config},`"layers`":[]}"
            "{`"mediaType`":`"application/vnd.oci.image.manifest.v1+json`",$manifest,`"annotations`":{`"io.containerd.image.name`":`"docker.io/library/$($Name[$i])`",`"org.opencontainers.image.ref.name`":`"$($Name[$i].Split(':')[1])`"}}"
        }
        "{`"schemaVersion`":2,`"manifests`":[$($manifests -join ',')]}" | Set-Content -NoNewline -LiteralPath "$Path/index.json"
        (Get-Item -LiteralPath $Path).FullName
    }

    function Add-Blob([string] $Path, [string] $Text) {
        $hex = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Text))).ToLower()
        $Text | Set-Content -NoNewline -LiteralPath "$Path/blobs/sha256/$hex"
        "`"digest`":`"sha256:$hex`",`"size`":$($Text.Length)"
    }
}

Describe 'OCI layouts' {
    BeforeEach {
        $root = New-Item -ItemType Directory "$TestDrive/$([guid]::NewGuid().ToString('n'))"
        $layout = New-TestLayout "$root/two" 'a:1', 'a:2'
    }

    It 'are listed by paths, wildcards, files and their own entries' {
        New-TestLayout "$root/three" 'b:1' | Out-Null
        Push-Location $root
        try {
            (Get-OciIndex two).ImageName | Should -Be 'docker.io/library/a:1', 'docker.io/library/a:2'
            (Get-OciIndex t*).Count | Should -Be 3
            (Get-ChildItem $root -Directory | Get-OciIndex).Count | Should -Be 3
            (Get-OciIndex two/index.json)[0].Path | Should -Be 'index.json/manifests[0]'
            (Get-OciIndex three | Get-OciIndex).RefName | Should -Be '1'
            (Get-OciIndex three).Digest | Should -BeOfType string
        }
        finally { Pop-Location }
    }

    It 'are taken literally where they have brackets in their names' {
        $odd = (New-Item -ItemType Directory "$root/o[d]d").FullName
        Copy-Item "$layout/*" -Destination $odd -Recurse
        Repair-OciIndex -LiteralPath $odd | Out-Null
        Get-OciIndex -LiteralPath $odd | Should -HaveCount 1
        Get-Item -LiteralPath $odd | Get-OciIndex | Should -HaveCount 1
        Get-OciIndex -LiteralPath $odd | Get-OciIndex | Should -HaveCount 1
        Get-OciIndex $odd | Should -BeNullOrEmpty
    }

    It 'are copied into archives without a look at the configuration of docker' {
        $before = $env:DOCKER_CONFIG
        $env:DOCKER_CONFIG = (New-Item -ItemType Directory "$root/docker").FullName
        '{' | Set-Content "$root/docker/config.json"
        try {
            (Copy-OciImage "oci:${layout}:a:1" "$root/copy.tar.gz").Digest | Should -Be (Get-OciIndex $layout)[0].Digest
            Get-Content -AsByteStream "$root/copy.tar.gz" -TotalCount 2 | Should -Be 0x1F, 0x8B
            (Get-OciIndex "$root/copy.tar.gz").ImageName | Should -Be 'docker.io/library/a:1'
        }
        finally { $env:DOCKER_CONFIG = $before }
    }

    It 'that fail do not keep the others from being done' {
        $result = Repair-OciIndex "$root/nothing", $layout -ErrorVariable failed -ErrorAction SilentlyContinue
        $result.Layout | Should -Be $layout
        $failed.FullyQualifiedErrorId | Should -BeLike 'BuildKit.OciLayoutNotFound*'
        $failed.CategoryInfo.Category | Should -Be ObjectNotFound
    }

    It 'are repaired once, and -WhatIf shows what would be done' {
        $before = Get-Content "$layout/index.json"
        Repair-OciIndex $layout -WhatIf | Should -BeNullOrEmpty
        Get-Content "$layout/index.json" | Should -Be $before
        $result = Repair-OciIndex $layout -Backup
        $result.Changed | Should -BeTrue
        $result.Name | Should -Be 'docker.io/library/a:1'
        $result.OtherNames | Should -Be 'docker.io/library/a:2'
        Get-Content $result.Backup | Should -Be $before
        (Repair-OciIndex $layout).Changed | Should -BeFalse
        ($result | Get-OciIndex).OtherNames[0] | Should -Be 'docker.io/library/a:2'
        $result | Format-List | Out-String | Should -BeLike '*OtherNames*'
    }

    It 'with different images are refused with a table of the choices' {
        $differ = New-TestLayout "$root/differ" 'a:1', 'b:2' -Differ
        $failed = { Repair-OciIndex $differ -ErrorAction Stop } | Should -Throw -PassThru -ErrorId 'BuildKit.OciImagesDiffer*'
        $failed.Exception.Choices.ImageName | Should -Be 'docker.io/library/a:1', 'docker.io/library/b:2'
        $failed.Exception.Message | Should -BeLike '*docker.io/library/b:2 *sha256:*'
        (Repair-OciIndex $differ -Reference b:2).RemovedNames | Should -Be 'docker.io/library/a:1'
        $removed = Optimize-OciLayout $differ
        $removed.Count | Should -Be 2
        Test-OciLayout $differ | Should -BeNullOrEmpty
    }

    It 'are checked, with objects and with a bool' {
        Test-OciLayout $layout | ForEach-Object Id | Should -Be 'SeveralEntriesForImage'
        Test-OciLayout $layout -Quiet | Should -BeTrue
        Get-ChildItem "$layout/blobs/sha256" | Select-Object -First 1 | Remove-Item
        Test-OciLayout $layout -Quiet | Should -BeFalse
        $finding = Test-OciLayout $layout -Fast | Where-Object Severity -EQ Error
        $finding.Id | Should -Be 'BlobMissing'
        $finding | Format-Table | Out-String | Should -BeLike '*BlobMissing*'
        ($finding | Get-OciIndex).Count | Should -Be 2
    }

    It 'get and lose names' {
        Repair-OciIndex $layout -DropNames | Out-Null
        (Set-OciReference $layout c:3).Names | Should -Be 'docker.io/library/a:1', 'docker.io/library/c:3'
        (Get-OciIndex $layout)[0] | Set-OciReference -Reference d:4 | ForEach-Object Changed | Should -BeTrue
        Set-OciReference $layout e:5 -WhatIf
        Remove-OciReference $layout a:1 -WhatIf
        (Get-OciIndex $layout).RefName | Should -Be '1', '3', '4'
        (Remove-OciReference $layout a:1).Names | Should -Be 'docker.io/library/c:3', 'docker.io/library/d:4'
    }

    It 'are found by the images that are in them' {
        Get-OciImage $layout | Select-Object -First 1 | Test-OciLayout -Quiet | Should -BeTrue
        (Get-OciImage $layout)[0] | Get-OciIndex | Should -HaveCount 2
        (Get-OciImage $layout)[0] | Set-OciReference -Reference d:4 | ForEach-Object Names | Should -Contain 'docker.io/library/d:4'
        Test-OciLayout (Get-OciImage $layout)[0] -Quiet | Should -BeTrue
        Push-Location $layout
        try { (Get-Location | Get-OciIndex).RefName | Should -Contain '4' } finally { Pop-Location }
    }

    It 'are not what has no place: <Name>' -ForEach @(
        @{ Name = 'nothing'; Value = $null; Says = '*argument is null*' }
        @{ Name = 'a table'; Value = @{ a = 1 }; Says = "*Hashtable says where a layout is*" }
    ) {
        { Get-OciIndex $Value -ErrorAction Stop } | Should -Throw $Says
    }

    It 'are changed by nobody who can not be asked' {
        $said = Invoke-NewShell "Import-Module '$(Get-Manifest)'; try { Set-OciReference '$layout' x:1 -Confirm } catch { `$_.FullyQualifiedErrorId; `$_.Exception.Message }"
        $said -join ' ' | Should -BeLike '*NonInteractive*'
        $said -join ' ' | Should -Not -BeLike '*BuildKit.Unexpected*'
        (Get-OciIndex $layout).RefName | Should -Be '1', '2'
    }

    It 'have their bar taken away, where they can not be checked too (<_>)' -ForEach 'two', 'nothing' {
        $shell = [powershell]::Create().AddScript('param($manifest, $path) Import-Module $manifest; Test-OciLayout $path').AddArgument((Get-Manifest)).AddArgument("$root/$_")
        try {
            $shell.Invoke() | Out-Null
            @($shell.Streams.Progress | Where-Object Activity -EQ 'Test-OciLayout')[-1].RecordType | Should -Be Completed
        }
        finally { $shell.Dispose() }
    }

    It 'are shown whole in 80 columns' {
        Get-ChildItem "$layout/blobs/sha256" | Remove-Item
        $findings = Test-OciLayout $layout
        $text = $findings | Out-String -Width 80
        foreach ($finding in $findings) { $text -replace '\s' | Should -BeLike "*$([WildcardPattern]::Escape($finding.Path + $finding.Message -replace '\s'))*" }
        $text -split "`n" | Where-Object Length -GT 80 | Should -BeNullOrEmpty
        ($text -split "`n").Count | Should -BeLessThan (12 * $findings.Count)
    }

    It 'are shown where the language is constrained' {
        $said = Invoke-NewShell "Import-Module '$(Get-Manifest)'
            `$entries = Get-OciIndex '$layout'
            `$outputs = (New-BuildKitOutput tar out.tar -Attribute @{ 'a.b' = 'c' }), (New-BuildKitOutput -Type tar -Destination ([IO.MemoryStream]::new()))
            `$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
            `$entries | Out-String -Stream -Width 120; `$outputs | Out-String -Stream -Width 120"
        $said | Where-Object { $_ -like '*a:1 *sha256:????????????*' } | Should -HaveCount 1
        $said -join "`n" | Should -BeLike '*a.b=c*MemoryStream*'
    }

    It 'have their names completed' {
        $line = "Repair-OciIndex $layout -Reference docker"
        Complete $line | Should -Be 'docker.io/library/a:1', 'docker.io/library/a:2'
    }

    It 'in archives are there whole, old or new, when the process dies in the midst of writing' {
        $random = [byte[]]::new(100MB)
        [Random]::new(1).NextBytes($random)
        [IO.File]::WriteAllBytes("$layout/blobs/sha256/$('0' * 64)", $random)
        tar -C $layout -cf "$root/a.tar" .
        $old = (Get-FileHash "$root/a.tar").Hash
        # A busy machine may look away while the archive is written.
        for ($kills = $within = 0; $within -lt 2 -and $kills -lt 20; $kills++) {
            Copy-Item "$root/a.tar" "$root/b.tar"
            $child = Start-Process (Get-Process -Id $PID).Path -PassThru -RedirectStandardOutput "$root/out" -ArgumentList '-NoProfile', '-Command', "Import-Module '$(Get-Manifest)'; Repair-OciIndex '$root/b.tar'"
            $watch = [Diagnostics.Stopwatch]::StartNew()
            while (-not $child.HasExited -and -not [IO.Directory]::GetFiles($root, '.b.tar.*.partial') -and $watch.Elapsed.TotalSeconds -lt 60) { }
            $child.Kill()
            $child.WaitForExit()
            # What is left was being written.
            $left = [IO.Directory]::GetFiles($root, '.b.tar.*.partial')
            if ($left) {
                $within++
                (Get-FileHash "$root/b.tar").Hash | Should -Be $old
                Remove-Item $left -Force
            }
            (Repair-OciIndex "$root/b.tar").Name | Should -Be 'docker.io/library/a:1'
        }
        $within | Should -Be 2
    }
}

Describe 'A layout that this module built<because>' -Skip:([bool] $obstacle) {
    It 'is repaired, checked, named and built on' {
        $engine = Get-TestEngine buildkitd
        $context = New-Context @{ Dockerfile = "FROM scratch`nCOPY Dockerfile /file" }
        $layout = "$TestDrive/built"
        Invoke-BuildKitSolve $context -Builder $engine.Address -Tag a:1, a:2 -Output "type=oci,tar=false,dest=$layout" -Progress None | Out-Null
        Get-OciIndex $layout | Should -HaveCount 2
        (Repair-OciIndex $layout).Changed | Should -BeTrue
        Test-OciLayout $layout | Should -BeNullOrEmpty
        Set-OciReference $layout base | Out-Null
        $child = New-Context @{ Dockerfile = "FROM base`nCOPY Dockerfile /second" }
        $result = Invoke-BuildKitSolve $child -Builder $engine.Address -BuildContext @{ base = "oci-layout://${layout}:base" } -Output "type=oci,dest=$TestDrive/child.tar" -Progress None
        (Get-OciIndex "$TestDrive/child.tar").Digest | Should -Be $result.ImageDigest
        Test-OciLayout "$TestDrive/child.tar" | Where-Object Severity -EQ Error | Should -BeNullOrEmpty
    }
}
