BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle buildkitd, registry
    $because = $obstacle ? ", but: $obstacle" : ''
}

Describe "Images in layouts, archives and registries$because" -Skip:([bool] $obstacle) {
    BeforeAll {
        Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
        Import-Module (Get-Manifest)
        $engine = Get-TestEngine buildkitd
        $registry = (Get-TestEngine registry).Address
        $id = [guid]::NewGuid().ToString('n')
        $root = (New-Item -ItemType Directory "$TestDrive/images").FullName
        foreach ($architecture in 'amd64', 'arm64') {
            $dockerfile = "FROM scratch`nARG TARGETARCH`nENV A=$id`nCOPY <<END /`$TARGETARCH`nEND`nCMD [`"/$architecture`"]`n"
            Invoke-BuildKitSolve -Builder $engine.Address -Dockerfile $dockerfile -Platform "linux/$architecture" -Tag "$registry/module/${id}:$architecture" -Provenance mode=max `
                -Output 'type=image,push=true', "type=oci,dest=$root/$architecture.tar" -Progress None | Out-Null
        }
    }

    It 'are read by paths, pipes and references' {
        Push-Location $root
        try {
            (Get-OciImage *.tar).Platform.Architecture | Should -Be 'amd64', 'arm64'
            (Get-ChildItem $root -Filter *.tar | Get-OciImage).Count | Should -Be 2
            (Get-OciIndex ./arm64.tar | Get-OciImage).Config.Cmd | Should -Be '/arm64'
            $image = Get-OciImage -Reference 'oci-layout://amd64.tar:amd64'
        }
        finally { Pop-Location }
        $image.Names | Should -Be "$registry/module/${id}:amd64"
        $image.Config.Env | Should -Contain "A=$id"
        $image.History[-1].EmptyLayer | Should -BeTrue
        $image.Provenance.Parameters.Frontend | Should -Be 'dockerfile.v0'
        ($image | Get-OciImage).Digest | Should -Be $image.Digest
        (Get-OciImage "$root/amd64.tar" -Name "*:$($image.Names[0].Split(':')[-1])").Digest | Should -Be $image.Digest
        (Get-OciImage -Reference "$registry/module/${id}:amd64" -SkipAttestation).Attestations | Should -BeNullOrEmpty
        $image | Format-Table | Out-String | Should -BeLike '*linux/amd64*'
        $image | Format-List | Out-String | Should -BeLike '*Attestations*slsa.dev*'
        $image.History | Out-String | Should -BeLike '*COPY*'
    }

    It 'that can not be read are errors by themselves' {
        $read = Get-OciImage "$root/nothing", "$root/amd64.tar" -ErrorVariable failed -ErrorAction SilentlyContinue
        $read | Should -HaveCount 1
        $failed.FullyQualifiedErrorId | Should -BeLike 'BuildKit.OciLayoutNotFound*'
        Get-OciImage "$root/amd64.tar" -Platform 'linux/s390x, linux/amd64' | Should -HaveCount 1
        { Get-OciImage "$root/amd64.tar" -Platform linux/s390x -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.OciPlatformNotFound*'
        { Get-OciImage "$root/amd64.tar" -Digest sha256:1 -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.InvalidDigest*'
        { Get-OciImage -Reference localhost/UPPER -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.InvalidTag*'
        { Get-OciImage -Reference name -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.InvalidAddress*'
    }

    It 'become one index' {
        $name = "$registry/module/${id}:both"
        Get-Item "$root/*.tar" | Merge-OciIndex -Destination $name -WhatIf | Should -BeNullOrEmpty
        { Get-OciImage -Reference $name -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.ManifestNotFound*'
        Get-Item "$root/*.nothing" | Merge-OciIndex -Destination $name | Should -BeNullOrEmpty
        $result = Get-Item "$root/*.tar" | Merge-OciIndex -Destination $name, "oci-layout://$root/both:1" -Annotation @{ 'index:a' = 'b' }
        $result.Platforms.Architecture | Should -Be 'amd64', 'arm64'
        $result | Out-String | Should -BeLike "*$name*attestation*"
        $images = Get-OciImage -Reference $name
        $images.Index.Digest | Select-Object -Unique | Should -Be $result.Digest
        $images[0].Index.Annotations.a | Should -Be 'b'
        (Get-OciImage "$root/both").Digest | Should -Be $images.Digest
        Optimize-OciLayout "$root/both" | Should -BeNullOrEmpty

        $entries = Get-OciIndex -Reference $name
        $theirs = & (Invoke-Engines path buildx) imagetools inspect --raw $name | ConvertFrom-Json
        $entries | Select-Object -Skip 1 | ForEach-Object Digest | Should -Be $theirs.manifests.digest
        $entries[0].Digest | Should -Be $images[0].Index.Digest
        $entries[1].Path | Should -BeLike "$registry/*:both/manifests[[]0]"
        $entries[0].Layout | Should -BeNullOrEmpty
        $ofPlatforms = $entries | Where-Object { $_.Platform.OS -eq 'linux' }
        ($ofPlatforms | Get-OciImage).Digest | Should -Be $images.Digest
        ($ofPlatforms | Merge-OciIndex -Destination "oci-layout://$root/again:1").Platforms.Architecture | Should -Be 'amd64', 'arm64'
        ($images[0], $ofPlatforms[1] | Copy-OciImage -Destination "$root/copies.tar").Digest | Should -Be $images.Digest
        (Get-OciIndex "$root/both")[0] | Copy-OciImage -Destination "oci-layout://$root/copied:1" | ForEach-Object Digest | Should -Be $result.Digest
        $images[0] | Test-OciLayout -ErrorVariable failed -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $failed.FullyQualifiedErrorId | Should -BeLike 'InputObjectNotBound*'

        { $images | Merge-OciIndex -Destination $name -Append -ErrorAction Stop } | Should -Not -Throw
        { Merge-OciIndex "$root/amd64.tar", $name -Destination $name -Annotation manifest:a=b -ErrorAction Stop } | Should -Throw -ErrorId 'BuildKit.InvalidAnnotation*'
    }

    It 'leave no blobs behind, and -WhatIf lists them' {
        Merge-OciIndex "$root/amd64.tar" -Destination "oci-layout://$root/one:1", "oci-layout://$root/one:2" | Out-Null
        Merge-OciIndex "$root/arm64.tar" -Destination "oci-layout://$root/one:1", "oci-layout://$root/one:2" | Out-Null
        $before = (Get-ChildItem "$root/one/blobs/sha256").Count
        Optimize-OciLayout "$root/one" -WhatIf | Should -BeNullOrEmpty
        (Get-ChildItem "$root/one/blobs/sha256").Count | Should -Be $before
        $removed = Optimize-OciLayout "$root/one"
        $removed.Count | Should -BeGreaterThan 3
        (Get-ChildItem "$root/one/blobs/sha256").Count | Should -Be ($before - $removed.Count)
        Test-OciLayout "$root/one" -Quiet | Should -BeTrue
        Get-Item "$root/one/index.json" | Get-OciImage | ForEach-Object { $_.Platform.Architecture } | Should -Be 'arm64'
    }
}
