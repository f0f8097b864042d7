BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle registry, docker28-containerd
    $because = $obstacle ? ", but: $obstacle" : ''
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe "Copy-OciImage$because" -Skip:([bool]$obstacle) {
    BeforeAll {
        $registry = Get-TestEngine registry
        $image = $registry.BaseImage
        $copies = "$($registry.Address)/copied"
    }

    BeforeEach {
        $root = (New-Item -ItemType Directory "$TestDrive/$([guid]::NewGuid().ToString('n'))").FullName
        Push-Location $root
    }

    AfterEach { Pop-Location }

    It 'copies out of a registry, into an archive, and back, with one digest' {
        $results = @(
            Copy-OciImage $image layout.tar
            Copy-OciImage layout.tar ./layout
            Copy-OciImage ./layout "$copies/a:1"
            Copy-OciImage "$copies/a:1" "$copies/b:1"
        )
        $results | Should -HaveCount 4
        $results[0].PSObject.TypeNames | Should -Contain 'BuildKit.Oci.Copying.OciCopyResult'
        $results.Digest | Select-Object -Unique | Should -HaveCount 1
        $results.BlobsCopied | Should -Be 2, 2, 2, 0
        $results[3].BlobsMounted | Should -Be 2
        $results[0].Destination | Should -Be "oci-archive:$root/layout.tar"
        "$($results[0].Platforms[0])" | Should -BeLike 'linux/*'
        (Get-OciIndex layout).ImageName | Should -Be $image
        Test-OciLayout layout | Where-Object Severity -NE Information | Should -BeNullOrEmpty
    }

    It 'takes paths of the session, drives and sources from the pipeline' {
        Copy-OciImage $image layout.tar | Out-Null
        New-PSDrive Images FileSystem $root | Out-Null
        $results = 'layout.tar', "oci-archive:$root/layout.tar", 'Images:/layout.tar' | Copy-OciImage -Destination Images:/all:1
        $results.Destination | Select-Object -Unique | Should -Be "oci-layout://$root/all:1"
        $results.BlobsSkipped | Should -Be 0, 2, 2
        Get-OciIndex all | Should -HaveCount 1
    }

    It 'does nothing with -WhatIf' {
        Copy-OciImage $image ./layout -WhatIf
        Test-Path layout | Should -BeFalse
    }

    It 'says what is wrong in an error record' {
        Copy-OciImage "$copies/none:1" ./layout -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'BuildKit.ManifestNotFound*'
        $problem[0].TargetObject | Should -Be $registry.Address
        $problem[0].CategoryInfo.Category | Should -Be ObjectNotFound
        { Copy-OciImage alpine ./layout -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.InvalidAddress*'
        { Copy-OciImage $image ./layout -Platform linux/s390x -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.OciPlatformNotFound*'
        'nothing.tar', $image | Copy-OciImage -Destination ./layout -ErrorAction SilentlyContinue | Should -HaveCount 1
    }

    It 'loads into a Docker Engine and saves out of it' {
        $engine = Get-TestEngine docker28-containerd
        $loaded = Copy-OciImage $image docker-daemon:copied/app:1 -Builder $engine.Address
        Invoke-TestDocker $engine run --rm --network none copied/app:1 echo it runs | Should -Be 'it runs'
        $saved = Copy-OciImage docker-daemon:copied/app:1 saved.tar -Builder $engine.Address
        $saved.Digest | Should -Be $loaded.Digest
        Invoke-TestDocker $engine rmi copied/app:1 | Out-Null
    }

    It 'shows the bars of a copy and takes them away' {
        $shell = [powershell]::Create().AddScript('param($manifest, $image, $to) Import-Module $manifest; Copy-OciImage $image $to').AddArgument((Get-Manifest)).AddArgument($image).AddArgument("$root/layout")
        try {
            $shell.Invoke() | Should -HaveCount 1
            $own = $shell.Streams.Progress | Where-Object Activity -Like 'Copying *'
            $own.StatusDescription | Should -BeLike '*blobs*'
            $own[-1].RecordType | Should -Be Completed
        }
        finally { $shell.Dispose() }
    }

    It 'shows what was done as a list' {
        $text = Copy-OciImage $image ./layout | Out-String
        $text | Should -Match 'Blobs\s+: 2 copied, 0 there already, 0 mounted'
        $text | Should -Not -Match 'Referrers'
    }
}

Describe 'Addresses of images' {
    It 'are completed with the kinds of places and with paths' {
        Push-Location (New-Item -ItemType Directory "$TestDrive/completion" -Force)
        try {
            New-Item image.tar | Out-Null
            $places = Complete 'Copy-OciImage '
            $places | Should -Contain 'oci-archive:'
            $places | Should -Contain './image.tar'
            Complete 'Copy-OciImage x dock' | Should -Be 'docker-archive:', 'docker://', 'docker-daemon:'
        }
        finally { Pop-Location }
    }
}
