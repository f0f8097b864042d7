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
        'Get-BuildKitExporter'
        'Get-BuildKitServer'
        'Get-BuildKitWorker'
        'Get-OciImage'
        'Merge-OciIndex'
        'Get-DockerfileOutline'
        'Get-DockerfileTarget'
        'Get-OciIndex'
        'Invoke-BuildKitSolve'
        'Test-Dockerfile'
        'New-BuildKitOutput'
        'Optimize-OciLayout'
        'Remove-OciReference'
        'Repair-OciIndex'
        'Set-OciReference'
        'Test-OciLayout'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags = @('BuildKit', 'Docker', 'Dockerfile', 'Buildx', 'OCI', 'Container', 'Image', 'PSEdition_Core', 'Linux', 'MacOS', 'Windows')
        }
    }
}
