/** How the collecting script begins: what it is, its parameters, and what its parts have in common. ASCII without backticks. */
export const OPENING = String.raw`<#
.SYNOPSIS
    Collects what this IIS server says of itself into one JSON file, for certfarm doctor --evidence.

.DESCRIPTION
    Run it on each server of the farm, as an administrator, in 64-bit Windows PowerShell or PowerShell 7.
    It only reads and changes nothing on the server: it writes the one file that -Path names.

    Never in the file: passwords (of accounts, of PFX files), private keys, the content of certificate files.
    In the file: the table of netsh http show sslcert, the settings of the central certificate store, the names,
    sizes, times and SHA-256 digests of the files on its share, redirection.config and applicationHost.config
    (without the values of passwords, keys and environment variables), certificates of the machine's stores,
    errors and warnings of Schannel, HTTP.sys and IIS of the last day, installed features, addresses, listeners
    on TLS ports, TLS protocol settings, the time.

    What cannot be collected is told in the file, with the reason.

.PARAMETER Path
    The file to write. Default: COMPUTERNAME.json in the current folder.

.PARAMETER StoreCredential
    The account that the central certificate store is set to use. Its password is not known to this script and is
    not read from the registry. With -StoreCredential DOMAIN\user the script asks for the password and tests the
    share as that account; without, the share is tested as the account that runs the script.

.PARAMETER ReadFiles
    How many files of the share are opened to test access and to compute their digest. The others are listed only.

.EXAMPLE
    powershell.exe -ExecutionPolicy Bypass -File .\collect.ps1

.EXAMPLE
    .\collect.ps1 -Path C:\Temp\web1.json -StoreCredential FARM\certreader
#>
#Requires -Version 3.0
[CmdletBinding()]
param(
    [string] $Path = ($env:COMPUTERNAME + '.json'),
    [System.Management.Automation.PSCredential]
    [System.Management.Automation.Credential()]
    $StoreCredential = [System.Management.Automation.PSCredential]::Empty,
    [ValidateRange(0, 200000)]
    [int] $ReadFiles = 5000
)

$ErrorActionPreference = 'Stop'

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This is 32-bit PowerShell, which sees other folders and another registry than IIS: start the 64-bit one.'
}

$identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object System.Security.Principal.WindowsPrincipal -ArgumentList $identity
$isElevated = $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
$system32 = [Environment]::SystemDirectory
$inetsrv = Join-Path $system32 'inetsrv'
$newLine = [string] [char] 10

$problems = New-Object System.Collections.ArrayList
$evidence = [ordered]@{
    format      = 'certfarm-iis-evidence'
    version     = 1
    server      = $env:COMPUTERNAME
    collectedAt = [DateTime]::UtcNow.ToString('o')
}

function Add-Problem([string] $Part, [string] $Why) {
    [void] $problems.Add(@{ part = $Part; why = $Why })
}

# Runs one part of the collection. A part that fails is told as a problem and does not end the script.
function Invoke-Part([string] $Part, [scriptblock] $Collect) {
    Write-Progress -Activity 'Collecting evidence' -Status $Part
    try {
        $null = & $Collect
    }
    catch {
        Add-Problem $Part ($_.Exception.GetBaseException().Message)
    }
}

# What a command prints, as one text.
function Invoke-Tool([string] $File, [string[]] $Arguments) {
    $ErrorActionPreference = 'Continue'
    $lines = & $File @Arguments 2>&1 | ForEach-Object { [string] $_ }
    return @($lines) -join $newLine
}

# A key below HKEY_LOCAL_MACHINE, opened for reading; nothing when it is absent.
function Open-MachineKey([string] $Name) {
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, [Microsoft.Win32.RegistryView]::Registry64)
    return $root.OpenSubKey($Name)
}

function Get-Moment([DateTime] $Time) {
    return $Time.ToUniversalTime().ToString('o')
}
`;
