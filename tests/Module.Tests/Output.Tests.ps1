BeforeDiscovery {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    $obstacle = Get-TestEngineObstacle buildkitd
    # The reason stands in the name of what is skipped.
    $because = $obstacle ? ", but: $obstacle" : ''
}

BeforeAll {
    Import-Module "$PSScriptRoot/TestHelpers.psm1" -Force
    Import-Module (Get-Manifest)
}

Describe 'New-BuildKitOutput' {
    It 'makes <Text> of <Call>' -ForEach @(
        @{ Call = { New-BuildKitOutput }; Text = 'type=image' }
        @{ Call = { New-BuildKitOutput -Destination /out }; Text = 'type=local,dest=/out' }
        @{ Call = { New-BuildKitOutput -Destination - }; Text = 'type=tar,dest=-' }
        @{ Call = { New-BuildKitOutput -AsLayout -Path /out }; Text = 'type=oci,dest=/out,tar=false' }
        @{ Call = { New-BuildKitOutput OCI /x.tar -Name a:1, b:1 }; Text = 'type=oci,dest=/x.tar,"name=a:1,b:1"' }
        @{ Call = { New-BuildKitOutput image -Push -PushByDigest -OciMediaTypes }; Text = 'type=image,oci-mediatypes=true,push=true,push-by-digest=true' }
        @{ Call = { New-BuildKitOutput image -Push:$false }; Text = 'type=image,push=false' }
        @{ Call = { New-BuildKitOutput oci /x.tar -Compression zstd -CompressionLevel 0 -ForceCompression -RewriteTimestamp }
            Text = 'type=oci,dest=/x.tar,compression=zstd,compression-level=0,force-compression=true,rewrite-timestamp=true' }
        @{ Call = { New-BuildKitOutput local /out -PlatformSplit:$false }; Text = 'type=local,dest=/out,platform-split=false' }
        @{ Call = { New-BuildKitOutput -Attribute @{ Type = 'tar'; dest = '/x.tar'; 'Some-Attribute' = 1.5 } }; Text = 'type=tar,dest=/x.tar,some-attribute=1.5' }
        @{ Call = { New-BuildKitOutput docker -Name a -Attribute @{ name = 'b'; context = 'far' } }; Text = 'type=docker,context=far,name=a' }
    ) {
        (. $Call).ToString() | Should -Be $Text
    }

    It 'takes a destination relative to the current location, and on a drive' {
        Push-Location TestDrive:/
        try { (New-BuildKitOutput tar x.tar).Destination | Should -Be (Join-Path (Get-Item TestDrive:/).FullName x.tar) } finally { Pop-Location }
        (New-BuildKitOutput local TestDrive:/out).Destination | Should -Be (Join-Path (Get-Item TestDrive:/).FullName out)
        (New-BuildKitOutput local (Get-Item TestDrive:/)).Destination | Should -Be (Get-Item TestDrive:/).FullName.TrimEnd('/')
    }

    It 'takes a stream' {
        $stream = [IO.MemoryStream]::new()
        $output = New-BuildKitOutput -Destination $stream
        $output.Type | Should -Be 'tar'
        [object]::ReferenceEquals($output.Stream, $stream) | Should -BeTrue
    }

    It 'refuses a folder as bytes' {
        { New-BuildKitOutput local - } | Should -Throw -ErrorId 'BuildKit.InvalidOutput,*'
        { New-BuildKitOutput oci - -AsLayout } | Should -Throw -ErrorId 'BuildKit.InvalidOutput,*'
    }

    It 'is shown in a table' {
        New-BuildKitOutput oci /x.tar -Name a:1, b:1 | Out-String | Should -Match '(?s)Type +Destination +Attributes.*oci +/x.tar +name=a:1,b:1'
    }

    It 'completes types and compressions' {
        Complete 'New-BuildKitOutput -Type oc' | Should -Be 'oci'
        Complete 'New-BuildKitOutput t' | Should -Be 'tar'
        Complete 'New-BuildKitOutput -Compression es' | Should -Be 'estargz'
    }
}

Describe 'Outputs of a build<Because>' -ForEach @{ Because = $because; Obstacle = $obstacle } {
    Context 'on a buildkitd' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $context = New-Context @{ Dockerfile = "FROM scratch`nCOPY data word /`n"; word = 'ö'; data = -join (1..200kb | ForEach-Object { [char](97 + $_ % 26) }) }
            $common = @{ Builder = (Get-TestEngine buildkitd).Address; Progress = 'None' }
            $tar = Join-Path (Get-Item TestDrive:/).FullName file.tar
            $null = Invoke-BuildKitSolve $context -Output "type=tar,dest=$tar" @common
            # A tar has the time of its making in no entry here: COPY keeps the files' own.
            $hash = (Get-FileHash $tar).Hash
            function Get-Names([string] $Archive) {
                $null = tar -xf $Archive -C TestDrive:/ index.json 2>&1
                (tar -xOf $Archive index.json | ConvertFrom-Json).manifests.annotations.'io.containerd.image.name' | Sort-Object
            }
        }

        It 'take names as <Name>' -ForEach @(
            @{ Name = 'docker quotes them'; Output = { 'type=oci,"name=a:1,b:1",dest=TestDrive:/names.tar' } }
            @{ Name = 'a list in a hashtable'; Output = { @{ type = 'oci'; name = 'a:1', 'b:1'; dest = 'TestDrive:/names.tar' } } }
            @{ Name = 'a parameter'; Output = { New-BuildKitOutput oci TestDrive:/names.tar -Name a:1, b:1 } }
        ) {
            $result = Invoke-BuildKitSolve $context -Output (. $Output) @common
            Get-Names $result.Outputs[0].Destination | Should -Be 'docker.io/library/a:1', 'docker.io/library/b:1'
        }

        It 'take names whose quotes PowerShell has taken away' {
            $result = Invoke-BuildKitSolve $context -Output type=oci,"name=a:1,b:1",dest=TestDrive:/names.tar @common
            Get-Names $result.Outputs[0].Destination | Should -Be 'docker.io/library/a:1', 'docker.io/library/b:1'
        }

        It 'may be given in every way at once' {
            $stream = [IO.File]::Create((Join-Path (Get-Item TestDrive:/).FullName stream.tar))
            try {
                $result = Invoke-BuildKitSolve $context -Output type=tar, dest=TestDrive:/1.tar, @{ type = 'tar'; dest = $stream }, (New-BuildKitOutput tar TestDrive:/2.tar), TestDrive:/3 @common
            }
            finally { $stream.Dispose() }
            $result.Outputs.Type | Should -Be 'tar', 'tar', 'tar', 'local'
            (Get-FileHash TestDrive:/1.tar, TestDrive:/2.tar, TestDrive:/stream.tar).Hash | Should -Be $hash, $hash, $hash
            Get-Content TestDrive:/3/word | Should -Be 'ö'
        }

        It 'go to the pipeline as the bytes of the file (<_>)' -ForEach 'type=tar,dest=-', '-' {
            $chunks = Invoke-BuildKitSolve $context -Output $_ @common
            $chunks | ForEach-Object { , $_ | Should -BeOfType byte[] }
            $bytes = [IO.MemoryStream]::new()
            $chunks | ForEach-Object { $bytes.Write($_, 0, $_.Length) }
            [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($bytes.ToArray())) | Should -Be $hash
        }

        It 'go to a native program and to a file as they are' {
            Invoke-BuildKitSolve $context -Output 'type=tar,dest=-' @common | sha256sum | Should -Match "^$hash"
            Invoke-BuildKitSolve $context -Output 'type=tar,dest=-' @common | Set-Content TestDrive:/set.tar -AsByteStream
            (Get-FileHash TestDrive:/set.tar).Hash | Should -Be $hash
        }

        It 'list the same entries from the pipeline as in a file (<_>)' -ForEach 'oci', 'docker' {
            $null = Invoke-BuildKitSolve $context -Output "type=$_,dest=TestDrive:/image.tar" @common
            $entries = tar -tf (Get-Item TestDrive:/image.tar).FullName
            $entries | Should -Contain 'index.json'
            Invoke-BuildKitSolve $context -Output "type=$_,dest=-" @common | tar -t | Should -Be $entries
        }

        It 'go to the pipeline beside a file' {
            Invoke-BuildKitSolve $context -Output 'type=tar,dest=-', 'type=tar,dest=TestDrive:/beside.tar' @common | sha256sum | Should -Match "^$hash"
            (Get-FileHash TestDrive:/beside.tar).Hash | Should -Be $hash
        }

        It 'stop when the pipeline has enough, and end the build' {
            $large = New-Context @{ Dockerfile = "FROM scratch`nCOPY large /`n" }
            $random = [byte[]]::new(64mb)
            [Random]::new(3).NextBytes($random)
            [IO.File]::WriteAllBytes("$large/large", $random)
            $marker = "stopped-$(Get-Random)"
            $chunk = Invoke-BuildKitSolve $large -Output 'type=tar,dest=-' -Label @{ marker = $marker } @common | Select-Object -First 1
            , $chunk | Should -BeOfType byte[]
            # The daemon writes down how a build ended.
            $buildctl = Invoke-Engines path buildctl
            function Get-Record { & $buildctl --addr $common.Builder debug histories --format '{{json .}}' | ForEach-Object { ($_ | ConvertFrom-Json -AsHashtable).record } | Where-Object { $_.FrontendAttrs['label:marker'] -eq $marker -and $_.CompletedAt } }
            Wait-Until { Get-Record }
            (Get-Record).error.message | Should -BeLike '*cancel*'
        }

        It 'give nothing but an error where the build fails' {
            Invoke-BuildKitSolve $context -Dockerfile "FROM scratch`nCOPY nothing /`n" -Output - @common -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
            Get-ErrorId $failure | Should -Be 'BuildKit.FileNotInContext'
        }

        It 'are not mixed: <Name>' -ForEach @(
            @{ Name = 'two outputs'; Call = { Invoke-BuildKitSolve $context -Output 'type=tar,dest=-', 'type=oci,dest=-' @common } }
            @{ Name = 'a folder'; Call = { Invoke-BuildKitSolve $context -Output 'type=local,dest=-' @common } }
            @{ Name = 'a layout'; Call = { Invoke-BuildKitSolve $context -Output 'type=oci,tar=false,dest=-' @common } }
            @{ Name = 'a folder into a stream'; Call = { Invoke-BuildKitSolve $context -Output @{ type = 'local'; dest = [IO.MemoryStream]::new() } @common } }
        ) {
            { . $Call } | Should -Throw -ErrorId 'BuildKit.InvalidOutput,*'
        }

        It 'of several contexts are not mixed' {
            $context, $context | Invoke-BuildKitSolve -Output - @common -ErrorVariable failure -ErrorAction SilentlyContinue | sha256sum | Should -Match "^$hash"
            Get-ErrorId $failure | Should -Be 'BuildKit.InvalidOutput'
        }
    }
}

Describe 'A context of bytes<Because>' -ForEach @{ Because = $because; Obstacle = $obstacle } {
    Context 'on a buildkitd' -Skip:([bool] $Obstacle) {
        BeforeAll {
            $common = @{ Builder = (Get-TestEngine buildkitd).Address; Progress = 'None' }
            $folder = New-Context @{ Dockerfile = "FROM scratch`nCOPY word /`n"; 'sub/Dockerfile' = "FROM scratch`nCOPY word /renamed`n"; word = "$(Get-Random)" }
            # Larger than the pipe that the bytes go through.
            $random = [byte[]]::new(3mb)
            [Random]::new(1).NextBytes($random)
            [IO.File]::WriteAllBytes("$folder/data", $random)
            $tar = Join-Path (Get-Item TestDrive:/).FullName context.tar
            tar -cf $tar -C $folder .
            tar -czf "$tar.gz" -C $folder .
            $text = [Text.Encoding]::UTF8.GetBytes("FROM scratch`nLABEL a=$(Get-Random)`n")
            function Test-Word($Result, [string] $Name = 'word') {
                $Result | Should -HaveCount 1
                Get-Content "$($Result.Outputs[0].Destination)/$Name" | Should -Be (Get-Content $folder/word)
                Remove-Item $Result.Outputs[0].Destination -Recurse
            }
        }

        It 'is an archive: <Name>' -ForEach @(
            @{ Name = 'a file'; Call = { Invoke-BuildKitSolve $tar -Output TestDrive:/o @common } }
            @{ Name = 'a compressed file'; Call = { Invoke-BuildKitSolve "$tar.gz" -Output TestDrive:/o @common } }
            @{ Name = 'a file object'; Call = { Get-Item $tar | Invoke-BuildKitSolve -Output TestDrive:/o @common } }
            @{ Name = 'an array'; Call = { Invoke-BuildKitSolve ([IO.File]::ReadAllBytes($tar)) -Output TestDrive:/o @common } }
            @{ Name = 'an array from the pipeline'; Call = { , [IO.File]::ReadAllBytes($tar) | Invoke-BuildKitSolve -Output TestDrive:/o @common } }
            @{ Name = 'pieces from the pipeline'; Call = { Get-Content "$tar.gz" -AsByteStream -ReadCount 65536 | Invoke-BuildKitSolve -Output TestDrive:/o @common } }
            @{ Name = 'small pieces from the pipeline'; Call = { Get-Content $tar -AsByteStream -ReadCount 1000 | Invoke-BuildKitSolve -Output TestDrive:/o @common } }
        ) {
            Test-Word (. $Call)
        }

        It 'is a stream, which stays open' {
            $stream = [IO.File]::OpenRead($tar)
            try {
                Test-Word (Invoke-BuildKitSolve $stream -Output TestDrive:/o @common)
                $stream.CanRead | Should -BeTrue
            }
            finally { $stream.Dispose() }
        }

        It 'has the Dockerfile at a path within it' {
            Test-Word (Invoke-BuildKitSolve $tar -Dockerfile sub/Dockerfile -Output TestDrive:/o @common) renamed
        }

        It 'goes through to the pipeline' {
            Get-Content $tar -AsByteStream -ReadCount 65536 | Invoke-BuildKitSolve -Output - @common | tar -xO word | Should -Be (Get-Content $folder/word)
        }

        It 'is the text of a Dockerfile: <Name>' -ForEach @(
            @{ Name = 'an array'; Call = { Invoke-BuildKitSolve $text -Output type=cacheonly @common } }
            @{ Name = 'an array from the pipeline'; Call = { , $text | Invoke-BuildKitSolve -Output type=cacheonly @common } }
            @{ Name = 'single bytes from the pipeline'; Call = { $text | Invoke-BuildKitSolve -Output type=cacheonly @common } }
            @{ Name = 'a stream'; Call = { Invoke-BuildKitSolve ([IO.MemoryStream]::new($text)) -Output type=cacheonly @common } }
        ) {
            (. $Call).Steps.Name | Should -Contain '[internal] load build definition from Dockerfile'
        }

        It 'is what stands at the standard input of the shell' {
            $script = "Import-Module '$(Get-Manifest)'; (Invoke-BuildKitSolve - -Builder $($common.Builder) -Progress None -Output '$folder/out').Outputs.Destination"
            bash -c "'$([Environment]::ProcessPath)' -NoProfile -NonInteractive -Command `"`$0`" < '$tar.gz'" $script | Should -Be "$folder/out"
            Get-Content $folder/out/word | Should -Be (Get-Content $folder/word)
        }

        It 'that breaks off builds nothing' {
            { & { Get-Content $tar -AsByteStream -ReadCount 65536 | Select-Object -First 20; throw 'no more' } | Invoke-BuildKitSolve -Output TestDrive:/broken @common } | Should -Throw 'no more'
            Test-Path TestDrive:/broken | Should -BeFalse
        }
    }
}

Describe 'A context that is an object' {
    BeforeAll {
        $context = New-Context @{ Dockerfile = "FROM scratch`n"; 'x.txt' = 'x' }
        $nowhere = @{ Builder = 'unix:///nowhere.sock'; Progress = 'None'; ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failure' }
    }

    It 'says by a property where it lies: <_>' -ForEach 'Context', 'FullName', 'PSPath', 'Path' {
        [pscustomobject]@{ $_ = $context } | Invoke-BuildKitSolve @nowhere
        Get-ErrorId $failure | Should -Be 'BuildKit.SocketNotFound'
        [pscustomobject]@{ $_ = '/no such folder' } | Invoke-BuildKitSolve @nowhere
        Get-ErrorId $failure | Should -Be 'BuildKit.ContextNotFound'
    }

    It 'may bring further parameters' {
        [pscustomobject]@{ Path = $context; Dockerfile = '/no such Dockerfile' } | Invoke-BuildKitSolve @nowhere
        Get-ErrorId $failure | Should -Be 'BuildKit.DockerfileNotFound'
    }

    It 'is no file that is not an archive by its name' {
        Get-Item $context/x.txt | Invoke-BuildKitSolve @nowhere
        Get-ErrorId $failure | Should -Be 'BuildKit.ContextNotFound'
        $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*.tar.gz*'
    }
}

AfterAll { Disconnect-BuildKit }
