/** The parts of the collecting script that read IIS and HTTP.sys. ASCII without backticks. */
export const IIS_PARTS = String.raw`
# ---- HTTP.sys and IIS --------------------------------------------------------------------------------------------

# The table that answers handshakes. Every server has its own; shared configuration does not carry it.
Invoke-Part 'table' {
    $netsh = Join-Path $system32 'netsh.exe'
    $table = [ordered]@{ text = Invoke-Tool $netsh @('http', 'show', 'sslcert') }
    $json = Invoke-Tool $netsh @('http', 'show', 'sslcert', 'json=enable')
    # Older Windows does not know json=enable and prints its help.
    if ($json -match '^\s*\{') { $table['json'] = $json }
    $evidence['table'] = $table
}

# Settings of the central certificate store. Of the two passwords only whether one is set is looked at, never the value.
Invoke-Part 'central' {
    $central = [ordered]@{ installed = $false; enabled = $false }
    $components = Open-MachineKey 'SOFTWARE\Microsoft\InetStp\Components'
    if ($null -ne $components) { $central['installed'] = ($components.GetValue('CertProvider') -eq 1) }
    $settings = Open-MachineKey 'SOFTWARE\Microsoft\IIS\CentralCertProvider'
    if ($null -ne $settings) {
        $central['enabled'] = ($settings.GetValue('Enabled') -eq 1)
        $central['location'] = [string] $settings.GetValue('CertStoreLocation')
        $central['user'] = [string] $settings.GetValue('UserName')
        $central['hasPassword'] = (@($settings.GetValueNames()) -contains 'PrivateKeyPassword')
        $interval = $settings.GetValue('PollingInterval')
        if ($null -ne $interval) { $central['pollingSeconds'] = [long] $interval }
    }
    $evidence['central'] = $central
}

# The reason behind an error of the file system or the network, by Windows' own error numbers.
function Get-Cause([Exception] $Exception) {
    $base = $Exception.GetBaseException()
    $code = $base.HResult -band 0xFFFF
    if ($base -is [System.ComponentModel.Win32Exception]) { $code = $base.NativeErrorCode }
    if (@(86, 1326, 1327, 1328, 1329, 1330, 1331, 1385, 1396, 1907, 1909) -contains $code) { return 'logon' }
    if (@(51, 53, 54, 59, 64, 121, 1203, 1222, 1231, 1232, 1256) -contains $code) { return 'unreachable' }
    if (@(5, 65, 1314) -contains $code) { return 'denied' }
    if (@(2, 3, 15, 21, 67) -contains $code) { return 'absent' }
    return 'other'
}

# user, .\user and COMPUTER\user are one account.
function Get-FullAccount([string] $Name) {
    if ($Name -match '@') { return $Name }
    if ($Name -notmatch '\\') { return $env:COMPUTERNAME + '\' + $Name }
    return $Name -replace '^\.\\', ($env:COMPUTERNAME + '\')
}

function Get-StoreFile($File, [bool] $IsTried, [bool] $IsStoreAccount) {
    $entry = [ordered]@{ name = $File.Name; size = [long] $File.Length; modified = Get-Moment $File.LastWriteTimeUtc }
    if (-not $IsTried) { return $entry }
    $access = 'readable'
    try {
        $stream = [System.IO.File]::Open($File.FullName, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, [System.IO.FileShare] 'ReadWrite, Delete')
        $sha256 = [System.Security.Cryptography.SHA256]::Create()
        try {
            $entry['sha256'] = [BitConverter]::ToString($sha256.ComputeHash($stream)) -replace '-', ''
        }
        finally {
            $sha256.Dispose()
            $stream.Dispose()
        }
    }
    catch {
        $access = 'failed'
        if ((Get-Cause $_.Exception) -eq 'denied') { $access = 'denied' }
        if (-not $IsStoreAccount) { Add-Problem 'files' ($File.Name + ': ' + $_.Exception.GetBaseException().Message) }
    }
    if ($IsStoreAccount) { $entry['access'] = $access }
    return $entry
}

# The share, as the account of -StoreCredential, or else as the account that runs this script.
Invoke-Part 'access' {
    $central = $evidence['central']
    $location = [Environment]::ExpandEnvironmentVariables([string] $central['location'])
    if ($location -eq '') { return }
    $user = [string] $central['user']
    $as = $identity.Name
    $drive = $null
    try {
        if ($StoreCredential -ne [System.Management.Automation.PSCredential]::Empty) {
            $as = $StoreCredential.UserName
            # A connection for this script alone; it is taken down below.
            $drive = New-PSDrive -Name 'CertfarmStore' -PSProvider FileSystem -Root $location -Credential $StoreCredential
        }
        $isStoreAccount = ($user -ne '' -and (Get-FullAccount $as) -eq (Get-FullAccount $user)) -or ($user -eq '' -and $identity.IsSystem)
        if ($isStoreAccount -and $user -ne '') { $as = $user }
        $files = @((New-Object System.IO.DirectoryInfo -ArgumentList $location).GetFiles())
        $central['access'] = [ordered]@{ kind = 'readable'; as = $as }
        # The password that IIS has saved is not read: it may be another one.
        if ($null -ne $drive) { $central['access']['message'] = 'tested with the password of this session' }
        $number = 0
        $central['files'] = @($files | ForEach-Object {
                $number += 1
                Get-StoreFile $_ ($number -le $ReadFiles -and $_.Length -le 1048576) $isStoreAccount
            })
        if ($number -gt $ReadFiles) { Add-Problem 'files' ([string] $ReadFiles + ' of ' + $number + ' files were opened; -ReadFiles says how many.') }
    }
    catch {
        $base = $_.Exception.GetBaseException()
        $central['access'] = [ordered]@{ kind = 'failed'; as = $as; cause = (Get-Cause $base); message = $base.Message }
    }
    finally {
        if ($null -ne $drive) { Remove-PSDrive -Name 'CertfarmStore' -Force }
    }
    if ($user -eq '' -and -not $identity.IsSystem) {
        Add-Problem 'access' ('The share was tested as ' + $as + '. IIS has no account set for it and uses the machine account, which only a task that runs as SYSTEM can test.')
    }
    elseif ($user -ne '' -and (Get-FullAccount $as) -ne (Get-FullAccount $user)) {
        Add-Problem 'access' ('The share was tested as ' + $as + '. IIS uses ' + $user + ', whose password this script does not know: run it with -StoreCredential ' + $user + ' to test that account.')
    }
}

# Values of passwords, keys and environment variables are emptied before the text goes into the file.
function Hide-Secret([string] $Text) {
    $hidden = $Text -replace '(?i)((?:password|secret|sessionKey|connectionString)\s*=\s*)("[^"<>\r\n]*"|''[^''<>\r\n]*'')', '$1""'
    return $hidden -replace '(?i)(<environmentVariable\s[^<>]*?\bvalue\s*=\s*)("[^"<>]*"|''[^''<>]*'')', '$1""'
}

function Get-FileText([string] $File) {
    $result = [ordered]@{ path = $File }
    try {
        $result['text'] = Hide-Secret ([System.IO.File]::ReadAllText($File))
    }
    catch {
        $result['error'] = $_.Exception.GetBaseException().Message
    }
    return $result
}

$httpsPorts = @()

# Where IIS takes its configuration from, and that configuration.
Invoke-Part 'configuration' {
    $configuration = [ordered]@{}
    $evidence['configuration'] = $configuration
    $folder = Join-Path $inetsrv 'config'
    $redirectionFile = Join-Path $folder 'redirection.config'
    if (Test-Path -LiteralPath $redirectionFile) {
        $configuration['redirection'] = Get-FileText $redirectionFile
        try {
            $xml = New-Object System.Xml.XmlDocument
            $xml.XmlResolver = $null
            $xml.LoadXml([string] $configuration['redirection']['text'])
            $redirection = $xml.SelectSingleNode('//configurationRedirection')
            if ($null -ne $redirection -and $redirection.GetAttribute('enabled') -eq 'true') {
                $folder = [Environment]::ExpandEnvironmentVariables($redirection.GetAttribute('path'))
            }
        }
        catch {
            Add-Problem 'configuration' ('redirection.config: ' + $_.Exception.GetBaseException().Message)
        }
    }
    $configuration['applicationHost'] = Get-FileText (Join-Path $folder 'applicationHost.config')
    $text = [string] $configuration['applicationHost']['text']
    foreach ($binding in [regex]::Matches($text, '<binding\s[^<>]*protocol="https"[^<>]*>')) {
        if ($binding.Value -match 'bindingInformation="[^"]*:(\d{1,5}):[^"]*"') { $script:httpsPorts += [int] $Matches[1] }
    }
}

# Which sites run, as IIS's own command line says it.
Invoke-Part 'sites' {
    $appcmd = Join-Path $inetsrv 'appcmd.exe'
    if (-not (Test-Path -LiteralPath $appcmd)) { throw 'IIS is not installed: there is no appcmd.exe.' }
    $xml = New-Object System.Xml.XmlDocument
    $xml.XmlResolver = $null
    $xml.LoadXml((Invoke-Tool $appcmd @('list', 'site', '/xml')))
    $evidence['sites'] = @($xml.SelectNodes('//SITE') | ForEach-Object { [ordered]@{ name = $_.GetAttribute('SITE.NAME'); state = $_.GetAttribute('state') } })
}
`;
