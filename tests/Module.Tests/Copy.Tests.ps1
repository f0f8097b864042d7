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

        # Puts a text into a layout, and gives what leads to it.
        function Add-LayoutBlob([string] $Layout, [string] $Text, [string] $MediaType) {
            $hex = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Text))).ToLower()
            $Text | Set-Content -NoNewline "$Layout/blobs/sha256/$hex"
            @{ mediaType = $MediaType; digest = "sha256:$hex"; size = $Text.Length }
        }
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

    It 'takes along what refers to an image only when asked' {
        $digest = (Copy-OciImage $image ./layout).Digest
        $index = Get-Content layout/index.json -Raw | ConvertFrom-Json -AsHashtable
        $subject = $index.manifests[0]
        $manifest = @{
            schemaVersion = 2; mediaType = 'application/vnd.oci.image.manifest.v1+json'; artifactType = 'application/vnd.example.signature'; layers = @()
            config = Add-LayoutBlob layout '{}' application/vnd.oci.empty.v1+json
            subject = @{ mediaType = $subject.mediaType; digest = $subject.digest; size = $subject.size }
        }
        $index.manifests += Add-LayoutBlob layout ($manifest | ConvertTo-Json -Depth 5 -Compress) $manifest.mediaType
        $index | ConvertTo-Json -Depth 5 -Compress | Set-Content -NoNewline layout/index.json

        $name = "$copies/signed-$([guid]::NewGuid().ToString('n')):1"
        $pushed = Copy-OciImage "./layout@$digest" $name -IncludeReferrer
        $pushed.Digest | Should -Be $digest
        $pushed.Referrers | Should -Be 1
        $pushed | Out-String | Should -Match 'Referrers\s+: 1'
        (Copy-OciImage $name ./without).Referrers | Should -Be 0
        Get-OciIndex without | Should -HaveCount 1
        (Copy-OciImage $name ./with -IncludeReferrer).Referrers | Should -Be 1
        (Get-OciIndex with).Digest | Should -Be $digest, $index.manifests[1].digest
        Copy-OciImage "./layout@$digest" docker-archive:load.tar:signed/app:1 -IncludeReferrer | ForEach-Object Referrers | Should -Be 0
    }

    It 'speaks plain http with other machines only when asked' {
        $address = [Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() | Where-Object OperationalStatus -EQ Up |
            ForEach-Object { $_.GetIPProperties().UnicastAddresses.Address } |
            Where-Object { $_.AddressFamily -eq 'InterNetwork' -and -not [Net.IPAddress]::IsLoopback($_) -and [Net.Http.HttpClient]::DefaultProxy.IsBypassed("http://$_/") } |
            Select-Object -First 1
        if (-not $address) {
            Set-ItResult -Skipped -Because 'this machine has no address but the loopback'
            return
        }
        $listener = [Net.Sockets.TcpListener]::new($address, 0)
        $listener.Start()
        $relay = [powershell]::Create().AddScript({
                param($listener, $server, $port)
                $ErrorActionPreference = 'Stop'
                while ($true) {
                    $near = $listener.AcceptTcpClient()
                    $far = [Net.Sockets.TcpClient]::new($server, $port)
                    $null = $near.GetStream().CopyToAsync($far.GetStream())
                    $null = $far.GetStream().CopyToAsync($near.GetStream())
                }
            }).AddArgument($listener).AddArgument($registry.Address.Split(':')[0]).AddArgument([int]$registry.Address.Split(':')[1])
        $relaying = $relay.BeginInvoke()
        try {
            $there = "$($listener.LocalEndpoint)/$($image.Split('/', 2)[1])"
            { Copy-OciImage $there ./layout -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.RegistryUnreachable*'
            Test-Path layout | Should -BeFalse
            $digest = (Copy-OciImage $there ./layout -Insecure).Digest
            (Copy-OciImage ./layout "$($listener.LocalEndpoint)/copied/plain:1" -Insecure).Digest | Should -Be $digest
            (Copy-OciImage "$copies/plain:1" ./again).Digest | Should -Be $digest
        }
        finally {
            $listener.Stop()
            try { $relay.EndInvoke($relaying) } catch { 'Stopped, which it was to be.' | Out-Null }
            $relay.Dispose()
        }
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
