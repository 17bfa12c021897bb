/** The part of a mending script that reads, saves, makes and deletes rows. ASCII without backticks. */
export const ROWS = String.raw`
# ---- Rows of the binding table ---------------------------------------------------------------------------------------

$isDry = [bool] $WhatIfPreference
$iisAppId = '{4dc3e181-e14b-4a21-b022-59fc669b0914}'
$netsh = Join-Path ([Environment]::SystemDirectory) 'netsh.exe'
$newLine = [string] [char] 10
if ($Folder -eq '') { $Folder = $PSScriptRoot }
if ($Folder -eq '') { $Folder = '.' }
$Folder = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Folder)
$undoFile = Join-Path $Folder ('certfarm-undo-' + $env:COMPUTERNAME + '.json')

if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This is 32-bit PowerShell, which sees another registry than IIS: start the 64-bit one.'
}
if ($env:COMPUTERNAME -ne $server -and -not $AnyServer) {
    throw ('The script was made for ' + $server + ' and this is ' + $env:COMPUTERNAME + '. Use -AnyServer when they are the same machine.')
}
$identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object System.Security.Principal.WindowsPrincipal -ArgumentList $identity
if (-not $isDry -and -not $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
    throw 'Start PowerShell as an administrator.'
}

function Write-Line([string] $Text) {
    Write-Host $Text
}

function Invoke-Netsh([string[]] $Arguments) {
    $ErrorActionPreference = 'Continue'
    $lines = & $netsh @Arguments 2>&1 | ForEach-Object { [string] $_ }
    return @{ code = $LASTEXITCODE; text = (@($lines) -join $newLine).Trim() }
}

# Whether there is a row of that key. Every row shows the GUID of its application, in any language.
function Test-Row([string] $Tag, [string] $Key) {
    $shown = Invoke-Netsh @('http', 'show', 'sslcert', ($Tag + '=' + $Key))
    return ($shown.code -eq 0 -and $shown.text -match '\{[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-')
}

# What a row is, from the registry, where HTTP.sys keeps it; nothing when it is not found there.
function Get-SavedRow([string] $Tag, [string] $Key) {
    $names = @{ ipport = 'SslBindingInfo'; hostnameport = 'SslSniBindingInfo' }
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, [Microsoft.Win32.RegistryView]::Registry64)
    $row = $root.OpenSubKey('SYSTEM\CurrentControlSet\Services\HTTP\Parameters\' + $names[$Tag] + '\' + $Key)
    if ($null -eq $row) { return $null }
    $hash = $row.GetValue('SslCertHash')
    $appId = $row.GetValue('AppId')
    if ($hash -isnot [byte[]] -or $appId -isnot [byte[]] -or $appId.Length -ne 16) { return $null }
    return @{
        hash          = [BitConverter]::ToString($hash) -replace '-', ''
        appId         = (New-Object Guid -ArgumentList (, $appId)).ToString('B')
        store         = [string] $row.GetValue('SslCertStoreName')
        flags         = [long] $row.GetValue('DefaultFlags', 0)
        checks        = [long] $row.GetValue('DefaultSslCertCheckMode', 0)
        freshness     = [long] $row.GetValue('DefaultSslRevocationFreshnessTime', 0)
        timeout       = [long] $row.GetValue('DefaultSslRevocationUrlRetrievalTimeout', 0)
        ctlIdentifier = [string] $row.GetValue('DefaultSslCtlIdentifier', '')
        ctlStore      = [string] $row.GetValue('DefaultSslCtlStoreName', '')
    }
}

# Options of netsh http add sslcert by bit of the row's flags.
$flagOptions = @(
    @(1, 'dsmapperusage'), @(2, 'clientcertnegotiation'), @(8, 'reject'), @(16, 'disablehttp2'), @(32, 'disablequic'),
    @(64, 'disabletls13'), @(128, 'disableocspstapling'), @(256, 'enabletokenbinding'), @(512, 'logextendedevents'),
    @(1024, 'disablelegacytls'), @(2048, 'enablesessionticket'), @(4096, 'disabletls12'), @(16384, 'disablesessionid')
)

# Makes a deleted row again, with its options.
function Restore-Row([string] $Tag, [string] $Key, $Row) {
    $arguments = @('http', 'add', 'sslcert', ($Tag + '=' + $Key), ('certhash=' + $Row.hash), ('appid=' + $Row.appId))
    if ([string] $Row.store -ne '') { $arguments += ('certstorename=' + $Row.store) }
    foreach ($option in $flagOptions) {
        if (([long] $Row.flags -band $option[0]) -ne 0) { $arguments += ($option[1] + '=enable') }
    }
    if (([long] $Row.checks -band 1) -ne 0) { $arguments += 'verifyclientcertrevocation=disable' }
    if (([long] $Row.checks -band 2) -ne 0) { $arguments += 'verifyrevocationwithcachedclientcertonly=enable' }
    if (([long] $Row.checks -band 65536) -ne 0) { $arguments += 'usagecheck=disable' }
    if ([long] $Row.freshness -gt 0) { $arguments += ('revocationfreshnesstime=' + $Row.freshness) }
    if ([long] $Row.timeout -gt 0) { $arguments += ('urlretrievaltimeout=' + $Row.timeout) }
    if ([string] $Row.ctlIdentifier -ne '') { $arguments += ('sslctlidentifier=' + $Row.ctlIdentifier) }
    if ([string] $Row.ctlStore -ne '') { $arguments += ('sslctlstorename=' + $Row.ctlStore) }
    $added = Invoke-Netsh $arguments
    if (-not (Test-Row $Tag $Key)) { throw ('The row ' + $Tag + '=' + $Key + ' could not be made again: ' + $added.text) }
}

function Save-Table {
    $stamp = [DateTime]::UtcNow.ToString('yyyyMMdd-HHmmss')
    $base = Join-Path $Folder ('certfarm-table-' + $env:COMPUTERNAME + '-' + $stamp)
    $utf8 = New-Object System.Text.UTF8Encoding -ArgumentList $false
    [System.IO.File]::WriteAllText(($base + '.txt'), (Invoke-Netsh @('http', 'show', 'sslcert')).text, $utf8)
    $json = (Invoke-Netsh @('http', 'show', 'sslcert', 'json=enable')).text
    if ($json -match '^\s*\{') { [System.IO.File]::WriteAllText(($base + '.json'), $json, $utf8) }
    Write-Line ('The table is saved: ' + $base + '.txt')
}

# Notes for -Undo: a list of what was done, oldest first.
function Get-Note {
    if (-not (Test-Path -LiteralPath $undoFile)) { return @() }
    $read = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($undoFile))
    return @($read.done | Where-Object { $null -ne $_ })
}

function Set-Note($Notes) {
    $text = ConvertTo-Json -InputObject @{ server = $env:COMPUTERNAME; done = @($Notes) } -Depth 6
    [System.IO.File]::WriteAllText($undoFile, $text, (New-Object System.Text.UTF8Encoding -ArgumentList $false))
}

function Add-Note($Note) {
    Set-Note (@(Get-Note) + @($Note))
}
`;
