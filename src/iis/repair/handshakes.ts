/** The part of a mending script that makes TLS handshakes with this server and compares them. ASCII without backticks. */
export const HANDSHAKES = String.raw`
# ---- Handshakes with this server -------------------------------------------------------------------------------------

# One handshake with SNI. Any certificate is taken: what it is, and whether it names the host, is the answer.
function Test-Handshake([string] $HostName, [int] $Port, [string] $Address) {
    $client = New-Object System.Net.Sockets.TcpClient -ArgumentList ([System.Net.IPAddress]::Parse($Address).AddressFamily)
    try {
        if (-not $client.ConnectAsync($Address, $Port).Wait(5000)) { return @{ state = 'no connection'; good = $false } }
        $client.ReceiveTimeout = 10000
        $client.SendTimeout = 10000
        $seen = @{ errors = 0 }
        $take = { param($from, $certificate, $chain, $errors) $seen['errors'] = [int] $errors; return $true }.GetNewClosure()
        $stream = New-Object System.Net.Security.SslStream -ArgumentList ($client.GetStream()), $false, ([System.Net.Security.RemoteCertificateValidationCallback] $take)
        try {
            $stream.AuthenticateAsClient($HostName, $null, [System.Security.Authentication.SslProtocols]::Tls12, $false)
            $served = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $stream.RemoteCertificate
            # 2 = the name is not in the certificate.
            $fits = (($seen['errors'] -band 2) -eq 0)
            $words = 'gets ' + $served.Subject + ', ' + $served.Thumbprint
            if (-not $fits) { $words += ', which does not name it' }
            return @{ state = $words; good = $fits }
        }
        finally {
            $stream.Dispose()
        }
    }
    catch {
        return @{ state = 'gets no certificate: ' + $_.Exception.GetBaseException().Message; good = $false }
    }
    finally {
        $client.Close()
    }
}

# All checks of the script, by host and endpoint.
function Get-Handshake {
    $results = [ordered]@{}
    foreach ($check in $checks) {
        $name = $check.host + ' on ' + $check.address + ', port ' + $check.port
        $results[$name] = Test-Handshake $check.host $check.port $check.address
    }
    return $results
}

# Tells what changed; true when a host that got its certificate before does not get it now.
function Compare-Handshake($Before, $After) {
    $isWorse = $false
    foreach ($name in @($After.Keys)) {
        if ($Before[$name].state -ne $After[$name].state) { Write-Line ('  ' + $name + ': ' + $After[$name].state) }
        if ($Before[$name].good -and -not $After[$name].good) { $isWorse = $true }
    }
    return $isWorse
}
`;
