/** The part of a mending script that carries out the kinds of steps, and the run itself. ASCII without backticks. */
export const STEPS = String.raw`
# ---- The kinds of steps ----------------------------------------------------------------------------------------------
# Each returns $true when it changed something, $false when there was nothing to do.

function Invoke-DeleteRow($Step) {
    if (@('ipport', 'hostnameport') -notcontains $Step.tag) { throw 'Only rows of one address or one name are deleted, never central ones.' }
    $what = $Step.tag + '=' + $Step.key
    if (-not (Test-Row $Step.tag $Step.key)) {
        Write-Line ('  ' + $what + ' is gone already.')
        return $false
    }
    $row = Get-SavedRow $Step.tag $Step.key
    if ($null -eq $row) {
        $row = @{ hash = $Step.hash; appId = $Step.appId; store = $Step.store; flags = 0; checks = 0; freshness = 0; timeout = 0; ctlIdentifier = ''; ctlStore = '' }
        Write-Line '  The registry does not show the row; to undo, its certificate and store are kept, its options are in the saved table.'
    }
    if ($Step.hash -ne '' -and $row.hash -ne $Step.hash) {
        throw ($what + ' has another certificate than when the server was examined: ' + $row.hash + ' instead of ' + $Step.hash + '. Collect evidence again.')
    }
    if ($row.hash -eq '' -or $row.appId -eq '') { throw ($what + ' could not be saved, so it is not deleted.') }
    if (-not $cmdlet.ShouldProcess($what, 'netsh http delete sslcert')) { return $false }
    Add-Note @{ kind = 'delete-row'; tag = $Step.tag; key = $Step.key; row = $row }
    $deleted = Invoke-Netsh @('http', 'delete', 'sslcert', $what)
    if (Test-Row $Step.tag $Step.key) { throw ($what + ' is still there: ' + $deleted.text) }
    Write-Line ('  ' + $what + ' is deleted.')
    return $true
}

function Invoke-AddCentralRow($Step) {
    $key = [string] $Step.port
    if (Test-Row 'ccs' $key) {
        Write-Line ('  ccs=' + $key + ' is there already.')
        return $false
    }
    if (-not $cmdlet.ShouldProcess('ccs=' + $key, 'netsh http add sslcert')) { return $false }
    $added = Invoke-Netsh @('http', 'add', 'sslcert', ('ccs=' + $key), ('appid=' + $iisAppId))
    if (-not (Test-Row 'ccs' $key)) {
        Write-Line ('  netsh did not make the row: ' + $added.text)
        try {
            $null = Invoke-BindingToggle $Step
        }
        catch {
            Write-Line ('  The last resort did not help: ' + $_.Exception.GetBaseException().Message)
        }
    }
    if (-not (Test-Row 'ccs' $key)) {
        throw ('There is still no row ccs=' + $key + '. In IIS Manager on this server: edit an https binding, untick Use Centralized Certificate Store and Require SNI, choose any certificate, OK; then tick both again, OK.')
    }
    Add-Note @{ kind = 'add-central-row'; tag = 'ccs'; key = $key }
    Write-Line ('  ccs=' + $key + ' is there.')
    return $true
}

# The last resort: a binding is written without the central store, then with it again, through IIS's own library,
# which makes the central row as IIS Manager does.
function Invoke-BindingToggle($Step) {
    if ($Step.site -eq '') { return }
    if ($PSVersionTable.PSEdition -eq 'Core') { throw 'The last resort needs Windows PowerShell: start the script with powershell.exe.' }
    if (-not $AllowToggle -and -not $cmdlet.ShouldContinue(('Write the binding ' + $Step.binding + ' of ' + $Step.site + ' without and with the central store? With shared configuration every server sees it.'), 'Last resort')) { return }
    $own = $Step.address + ':' + $Step.port
    if (Test-Row 'ipport' $own) { throw ('The binding cannot be written twice while there is a row ipport=' + $own + '.') }
    $spare = Get-ChildItem -Path 'Cert:\LocalMachine\My' | Where-Object { $_.HasPrivateKey } | Select-Object -First 1
    if ($null -eq $spare) { throw 'There is no certificate with a key in LocalMachine\My to write the binding with.' }
    Add-Type -Path (Join-Path ([Environment]::SystemDirectory) 'inetsrv\Microsoft.Web.Administration.dll')
    $flags = Set-BindingFlag $Step 0 ($spare.GetCertHash())
    try {
        $null = Set-BindingFlag $Step $flags $null
    }
    catch {
        Write-Line ('  The binding is left without the central store. In IIS Manager, set it back (sslFlags ' + $flags + ').')
        throw
    }
    if (Test-Row 'ipport' $own) { $null = Invoke-Netsh @('http', 'delete', 'sslcert', ('ipport=' + $own)) }
}

# Writes sslFlags and certificate of one binding; returns the flags that were there before.
function Set-BindingFlag($Step, [long] $Flags, $Hash) {
    $manager = New-Object Microsoft.Web.Administration.ServerManager
    try {
        $site = $manager.Sites[$Step.site]
        if ($null -eq $site) { throw ('There is no site ' + $Step.site + '.') }
        $binding = $site.Bindings | Where-Object { $_.Protocol -eq 'https' -and $_.BindingInformation -eq $Step.binding } | Select-Object -First 1
        if ($null -eq $binding) { throw ($Step.site + ' has no https binding ' + $Step.binding + '.') }
        $before = [long] $binding.GetAttributeValue('sslFlags')
        $binding.CertificateHash = $Hash
        $binding.CertificateStoreName = $null
        if ($null -ne $Hash) { $binding.CertificateStoreName = 'My' }
        $binding.SetAttributeValue('sslFlags', $Flags)
        $manager.CommitChanges()
        return $before
    }
    finally {
        $manager.Dispose()
    }
}

function Get-StoreSetting {
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, [Microsoft.Win32.RegistryView]::Registry64)
    $key = $root.OpenSubKey('SOFTWARE\Microsoft\IIS\CentralCertProvider')
    if ($null -eq $key) { return @{ enabled = $false; location = ''; user = '' } }
    return @{ enabled = ($key.GetValue('Enabled') -eq 1); location = [string] $key.GetValue('CertStoreLocation'); user = [string] $key.GetValue('UserName') }
}

# Turns the central store on, or points it elsewhere. Passwords are asked for, given to IIS and kept nowhere else.
function Set-CentralStore([string] $Location, [string] $User, [bool] $KeepPasswords) {
    $useIis = ($null -ne (Get-Command -Name 'Enable-IISCentralCertProvider' -ErrorAction SilentlyContinue))
    if (-not $useIis -and $null -eq (Get-Command -Name 'Enable-WebCentralCertProvider' -ErrorAction SilentlyContinue)) {
        throw 'The feature is not installed: Install-WindowsFeature Web-CertProvider, then run the script again.'
    }
    if ($KeepPasswords) {
        if ($useIis) { Set-IISCentralCertProvider -CertStoreLocation $Location }
        else { Set-WebCentralCertProvider -CertStoreLocation $Location }
        return
    }
    $name = $User
    if ($name -eq '') { $name = Read-Host -Prompt 'Account that reads the share (DOMAIN\user)' }
    $settings = @{ CertStoreLocation = $Location; UserName = $name }
    $settings['Password'] = Read-Host -Prompt ('Password of ' + $name) -AsSecureString
    $pfx = Read-Host -Prompt 'Password of the PFX files (empty when they have none)' -AsSecureString
    if ($pfx.Length -gt 0) { $settings['PrivateKeyPassword'] = $pfx }
    if ($useIis) {
        Enable-IISCentralCertProvider @settings
        return
    }
    foreach ($secret in @('Password', 'PrivateKeyPassword')) {
        if ($null -eq $settings[$secret]) { continue }
        $settings[$secret] = (New-Object System.Management.Automation.PSCredential -ArgumentList 'x', $settings[$secret]).GetNetworkCredential().Password
    }
    Enable-WebCentralCertProvider @settings
}

function Invoke-SetCentralStore($Step) {
    $now = Get-StoreSetting
    $isSame = ($now.enabled -and $now.location -eq $Step.location -and ($Step.user -eq '' -or $now.user -eq $Step.user))
    if ($isSame -and -not $RenewPasswords) {
        Write-Line '  Location and account are set already; -RenewPasswords asks for the passwords again.'
        return $false
    }
    if (-not $cmdlet.ShouldProcess($Step.location, 'Set the central certificate store')) { return $false }
    $user = $Step.user
    if ($user -eq '') { $user = $now.user }
    $keeps = ($now.enabled -and $now.user -ne '' -and $user -eq $now.user -and -not $RenewPasswords)
    Add-Note @{ kind = 'set-central-store'; enabled = $now.enabled; location = $now.location; user = $now.user }
    Set-CentralStore $Step.location $user $keeps
    $after = Get-StoreSetting
    if (-not $after.enabled -or $after.location -ne $Step.location) { throw 'The central store did not take the settings.' }
    Write-Line ('  The central store is ' + $after.location + '.')
    return $true
}

function Invoke-Step($Step) {
    switch ($Step.kind) {
        'delete-row' { return (Invoke-DeleteRow $Step) }
        'add-central-row' { return (Invoke-AddCentralRow $Step) }
        'set-central-store' { return (Invoke-SetCentralStore $Step) }
    }
    Write-Line ('  By hand: ' + $Step.text)
    return $false
}
`;
