/** The part of the collecting script that reads the machine's certificate stores, and how the script ends. ASCII without backticks. */
export const CERTIFICATE_PARTS = String.raw`
# ---- Certificates of the machine ---------------------------------------------------------------------------------

# DNS names of the subject alternative name, from its DER form: the text that Windows makes of it depends on the language.
function Get-DnsName($Certificate) {
    foreach ($extension in $Certificate.Extensions) {
        if ($extension.Oid.Value -ne '2.5.29.17') { continue }
        $bytes = $extension.RawData
        $at = 0
        $isOuter = $true
        while ($at + 1 -lt $bytes.Length) {
            $tag = [int] $bytes[$at]
            $length = [int] $bytes[$at + 1]
            $at += 2
            if ($length -gt 128) {
                $octets = $length - 128
                $length = 0
                for ($i = 0; $i -lt $octets; $i++) {
                    $length = $length * 256 + $bytes[$at]
                    $at += 1
                }
            }
            if ($isOuter) {
                $isOuter = $false
                continue
            }
            # [2] is a DNS name.
            if ($tag -eq 130) { [System.Text.Encoding]::ASCII.GetString($bytes, $at, $length) }
            $at += $length
        }
    }
}

# Whether SYSTEM, as which Schannel works, may read the file of a key; nothing when that cannot be told.
function Test-SystemRead([string] $KeyName) {
    $crypto = Join-Path $env:ProgramData 'Microsoft\Crypto'
    foreach ($folder in @('RSA\MachineKeys', 'Keys', 'SystemKeys', 'RSA\S-1-5-18', 'DSS\MachineKeys')) {
        $file = Join-Path (Join-Path $crypto $folder) $KeyName
        if (-not (Test-Path -LiteralPath $file)) { continue }
        $allowed = $false
        foreach ($rule in (Get-Acl -LiteralPath $file).GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])) {
            # SYSTEM, Administrators (SYSTEM is one), Everyone, Authenticated Users.
            if (@('S-1-5-18', 'S-1-5-32-544', 'S-1-1-0', 'S-1-5-11') -notcontains $rule.IdentityReference.Value) { continue }
            if (([int] $rule.FileSystemRights -band 1) -eq 0) { continue }
            if ([string] $rule.AccessControlType -eq 'Deny') { return $false }
            $allowed = $true
        }
        return $allowed
    }
}

# Opens the private key, without using it, and notes what its provider says of it.
function Add-KeyFact($Entry, $Certificate) {
    try {
        $key = [System.Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
        if ($null -eq $key) { $key = [System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate) }
        if ($null -eq $key) { return }
        $name = $key.Key.UniqueName
        if ($null -eq $name) { $name = $key.CspKeyContainerInfo.UniqueKeyContainerName }
        $Entry['keyReadable'] = $true
        if ($isElevated -and $null -ne $name) {
            $systemReads = Test-SystemRead ([string] $name)
            if ($null -ne $systemReads) { $Entry['keyReadable'] = $systemReads }
        }
    }
    catch {
        # Without an administrator's rights a failure says nothing about the server's own account.
        if ($isElevated) { $Entry['keyReadable'] = $false }
    }
    # certutil shows the numbers of CryptoAPI keys; AT_KEYEXCHANGE is 1, AT_SIGNATURE is 2, in every language.
    $shown = Invoke-Tool (Join-Path $system32 'certutil.exe') @('-silent', '-v', '-store', $Entry['store'], $Certificate.Thumbprint)
    if ($shown -match '= *([12]) -- AT_(KEYEXCHANGE|SIGNATURE)') { $Entry['keySpec'] = [int] $Matches[1] }
}

# Builds the chain as the machine would, from its own stores: downloads are cut off at once, revocation is not asked for.
function Get-ChainFact($Certificate) {
    $chain = New-Object System.Security.Cryptography.X509Certificates.X509Chain -ArgumentList $true
    $chain.ChainPolicy.RevocationMode = [System.Security.Cryptography.X509Certificates.X509RevocationMode]::NoCheck
    $chain.ChainPolicy.UrlRetrievalTimeout = [TimeSpan]::FromMilliseconds(1)
    if ($null -ne $chain.ChainPolicy.PSObject.Properties['DisableCertificateDownloads']) { $chain.ChainPolicy.DisableCertificateDownloads = $true }
    $null = $chain.Build($Certificate)
    $states = @($chain.ChainStatus | ForEach-Object { [string] $_.Status } | Where-Object { $_ -ne 'NoError' } | Select-Object -Unique)
    $fact = [ordered]@{ complete = ($states -notcontains 'PartialChain') }
    if ($states.Count -gt 0) { $fact['problem'] = $states -join ', ' }
    return $fact
}

function Get-CertificateFact([string] $StoreName, $Certificate) {
    $entry = [ordered]@{
        store      = $StoreName
        thumbprint = $Certificate.Thumbprint
        subject    = $Certificate.Subject
        issuer     = $Certificate.Issuer
        dnsNames   = @(Get-DnsName $Certificate)
        notBefore  = Get-Moment $Certificate.NotBefore
        notAfter   = Get-Moment $Certificate.NotAfter
        hasKey     = [bool] $Certificate.HasPrivateKey
    }
    if ($Certificate.HasPrivateKey -and @('My', 'WebHosting') -contains $StoreName) {
        Add-KeyFact $entry $Certificate
        $entry['chain'] = Get-ChainFact $Certificate
    }
    return $entry
}

Invoke-Part 'certificates' {
    $found = New-Object System.Collections.ArrayList
    foreach ($storeName in @('My', 'WebHosting', 'CA', 'Root')) {
        $store = New-Object System.Security.Cryptography.X509Certificates.X509Store -ArgumentList $storeName, ([System.Security.Cryptography.X509Certificates.StoreLocation]::LocalMachine)
        try {
            $store.Open([System.Security.Cryptography.X509Certificates.OpenFlags] 'ReadOnly, OpenExistingOnly')
            if ($store.Certificates.Count -gt 1000) { Add-Problem 'certificates' ($storeName + ': only 1000 of ' + $store.Certificates.Count + ' certificates were read.') }
            foreach ($certificate in @($store.Certificates | Select-Object -First 1000)) {
                try {
                    [void] $found.Add((Get-CertificateFact $storeName $certificate))
                }
                catch {
                    Add-Problem 'certificates' ($storeName + ', ' + $certificate.Thumbprint + ': ' + $_.Exception.GetBaseException().Message)
                }
            }
        }
        catch {
            # Windows makes WebHosting with IIS; a store that is not there is no problem.
            if ($storeName -ne 'WebHosting') { Add-Problem 'certificates' ($storeName + ': ' + $_.Exception.GetBaseException().Message) }
        }
        finally {
            $store.Close()
        }
    }
    $evidence['certificates'] = $found.ToArray()
    if (-not $isElevated) { Add-Problem 'certificates' 'Private keys were not tested: that takes an administrator.' }
}
`;

/** How the collecting script ends: one file is written. */
export const CLOSING = String.raw`
# ---- The file ----------------------------------------------------------------------------------------------------

Write-Progress -Activity 'Collecting evidence' -Completed
$evidence['problems'] = @($problems | Select-Object -First 1000)
$target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
$json = ConvertTo-Json -InputObject $evidence -Depth 8
[System.IO.File]::WriteAllText($target, $json, (New-Object System.Text.UTF8Encoding -ArgumentList $false))

Write-Host ('Evidence of ' + $env:COMPUTERNAME + ': ' + $target)
foreach ($problem in $problems) {
    Write-Host ('Problem, ' + $problem['part'] + ': ' + $problem['why'])
}
`;
