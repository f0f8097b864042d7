@{
    RootModule           = 'lib/BuildKit.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = '96f1145b-131e-449b-b4d8-76d363bc33d7'
    Author               = 'The BuildKit for PowerShell authors'
    CompanyName          = 'The BuildKit for PowerShell authors'
    Copyright            = '(c) The BuildKit for PowerShell authors. MIT License.'
    Description          = 'Builds images with BuildKit, in Docker Engine or standalone, without the docker or buildx programs: objects in, objects out.'
    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.4'
    FormatsToProcess     = @('lib/BuildKit.Format.ps1xml')
    CmdletsToExport      = @(
        'Connect-BuildKit'
        'Copy-OciImage'
        'Disconnect-BuildKit'
        'Get-BuildKitBuilder'
        'Get-BuildKitExporter'
        'Get-BuildKitServer'
        'Get-BuildKitWorker'
        'Get-DockerfileOutline'
        'Get-DockerfileTarget'
        'Get-OciImage'
        'Get-OciIndex'
        'Invoke-BuildKitSolve'
        'Merge-OciIndex'
        'New-BuildKitBuilder'
        'New-BuildKitOutput'
        'Optimize-OciLayout'
        'Receive-DockerImage'
        'Remove-BuildKitBuilder'
        'Remove-OciReference'
        'Repair-OciIndex'
        'Set-OciReference'
        'Start-BuildKitBuilder'
        'Stop-BuildKitBuilder'
        'Test-BuildKit'
        'Test-Dockerfile'
        'Test-OciLayout'
        'Use-BuildKitBuilder'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('BuildKit', 'Docker', 'Dockerfile', 'Buildx', 'OCI', 'Container', 'Image', 'PSEdition_Core', 'Linux', 'MacOS')
        }
    }
}
