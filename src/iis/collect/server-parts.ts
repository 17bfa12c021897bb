/** The parts of the collecting script that describe the machine. ASCII without backticks. */
export const SERVER_PARTS = String.raw`
# ---- The machine -------------------------------------------------------------------------------------------------

Invoke-Part 'system' {
    $os = Get-CimInstance -ClassName Win32_OperatingSystem
    $evidence['os'] = [ordered]@{ caption = [string] $os.Caption; version = [string] $os.Version; build = [int] $os.BuildNumber }
    $evidence['startedAt'] = Get-Moment $os.LastBootUpTime
    if (-not $isElevated) {
        Add-Problem 'system' 'The script did not run as an administrator: what needs that right is missing.'
    }
}

# The clock, compared with the server that Windows itself takes its time from (one NTP question; nothing is set).
Invoke-Part 'clock' {
    $clock = [ordered]@{ utc = [DateTime]::UtcNow.ToString('o') }
    $evidence['clock'] = $clock
    $w32tm = Join-Path $system32 'w32tm.exe'
    $reference = ((Invoke-Tool $w32tm @('/query', '/source')) -split ',')[0].Trim()
    if ($reference -notmatch '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$') {
        Add-Problem 'clock' ('There is no time server to compare with: w32tm names ' + $reference)
        return
    }
    $answer = Invoke-Tool $w32tm @('/stripchart', ('/computer:' + $reference), '/samples:1')
    if ($answer -notmatch 'd:\s*([+-]?\d+)[.,](\d+)s\s+o:\s*([+-]?\d+)[.,](\d+)s') {
        Add-Problem 'clock' ($reference + ' did not answer a question for the time.')
        return
    }
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    $delay = [double]::Parse(($Matches[1] + '.' + $Matches[2]), $invariant)
    $offset = [double]::Parse(($Matches[3] + '.' + $Matches[4]), $invariant)
    $clock['reference'] = $reference
    # w32tm tells how far the reference is ahead of this server; the file tells how far this server is ahead.
    $clock['offsetMs'] = [Math]::Round(-1000 * $offset, 3)
    $clock['uncertaintyMs'] = [Math]::Round(500 * [Math]::Abs($delay), 3)
}

Invoke-Part 'addresses' {
    $addresses = New-Object System.Collections.ArrayList
    foreach ($adapter in [System.Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces()) {
        foreach ($unicast in $adapter.GetIPProperties().UnicastAddresses) {
            [void] $addresses.Add($unicast.Address.ToString())
        }
    }
    $evidence['addresses'] = @($addresses | Select-Object -Unique)
}

Invoke-Part 'features' {
    try {
        $evidence['features'] = @(Get-WindowsFeature | Where-Object { $_.Installed } | ForEach-Object { [string] $_.Name })
    }
    catch {
        # Windows without Server Manager: ask the servicing stack instead.
        $enabled = Get-WindowsOptionalFeature -Online | Where-Object { [string] $_.State -eq 'Enabled' }
        $evidence['features'] = @($enabled | ForEach-Object { [string] $_.FeatureName })
    }
}

Invoke-Part 'protocols' {
    $protocols = New-Object System.Collections.ArrayList
    foreach ($protocol in @('TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3')) {
        $key = Open-MachineKey ('SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\' + $protocol + '\Server')
        if ($null -eq $key) { continue }
        $entry = [ordered]@{ protocol = $protocol }
        if ($null -ne $key.GetValue('Enabled')) { $entry['enabled'] = [long] $key.GetValue('Enabled') }
        if ($null -ne $key.GetValue('DisabledByDefault')) { $entry['disabledByDefault'] = [long] $key.GetValue('DisabledByDefault') }
        [void] $protocols.Add($entry)
    }
    $evidence['protocols'] = $protocols.ToArray()
}

# Errors and warnings of the last day. The filter names providers in XPath, which does not mind those that are not there.
Invoke-Part 'events' {
    $names = @('Schannel', 'Microsoft-Windows-HttpEvent', 'Microsoft-Windows-IIS-W3SVC', 'Microsoft-Windows-IIS-W3SVC-WP', 'Microsoft-Windows-WAS')
    $providers = @($names | ForEach-Object { "@Name='" + $_ + "'" }) -join ' or '
    $filter = '*[System[Provider[' + $providers + '] and (Level=1 or Level=2 or Level=3) and TimeCreated[timediff(@SystemTime) <= 86400000]]]'
    $entries = New-Object System.Collections.ArrayList
    foreach ($log in @('System', 'Application')) {
        try {
            foreach ($found in @(Get-WinEvent -LogName $log -FilterXPath $filter -MaxEvents 500)) { [void] $entries.Add($found) }
        }
        catch {
            if ($_.FullyQualifiedErrorId -notlike 'NoMatchingEventsFound*') { Add-Problem 'events' ($log + ': ' + $_.Exception.Message) }
        }
    }
    $newest = @($entries | Sort-Object -Property TimeCreated -Descending | Select-Object -First 500)
    $evidence['events'] = @($newest | ForEach-Object {
            $message = [string] $_.Message
            if ($message.Length -gt 1000) { $message = $message.Substring(0, 1000) }
            [ordered]@{
                log     = ([string] $_.ProviderName) -replace '^Microsoft-Windows-', ''
                id      = [int] $_.Id
                at      = Get-Moment $_.TimeCreated
                message = $message
            }
        })
}

# Who listens on TLS ports: 443, 8443 and those of https bindings. A remote port of 0 is a listener in any language.
# HTTP.sys, and so IIS, shows as System.
Invoke-Part 'listeners' {
    $ports = @(443, 8443) + @($httpsPorts)
    $listeners = New-Object System.Collections.ArrayList
    foreach ($line in (Invoke-Tool (Join-Path $system32 'netstat.exe') @('-ano')) -split $newLine) {
        if ($line -notmatch '^\s*TCP\s+\[?([0-9A-Fa-f:.]+)(?:%\d+)?\]?:(\d+)\s+\S+:0\s+\S.*?(\d+)\s*$') { continue }
        $address = $Matches[1]
        $port = [int] $Matches[2]
        $owner = [int] $Matches[3]
        if ($ports -notcontains $port) { continue }
        $entry = [ordered]@{ address = $address; port = $port }
        $process = Get-Process -Id $owner -ErrorAction SilentlyContinue
        if ($null -ne $process) { $entry['process'] = [string] $process.ProcessName }
        [void] $listeners.Add($entry)
    }
    $evidence['listeners'] = $listeners.ToArray()
}
`;
