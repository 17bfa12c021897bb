/** How a mending script begins, up to its data. ASCII without backticks. */
export const OPENING = String.raw`<#
.SYNOPSIS
    Mends what certfarm found on one IIS server: the steps are in $steps below.

.DESCRIPTION
    Run it on that server, as an administrator, in 64-bit Windows PowerShell 5.1 (or PowerShell 7; the last resort of
    one step needs 5.1 and says so). Look first: -WhatIf changes nothing and tells every step.

    Before anything is changed the whole binding table is saved beside the script (text, and JSON where Windows has
    it). Each step checks first whether it is needed, so the script can be run again. After each step the row is
    looked up again, and real TLS handshakes with SNI to an address of this server are compared with those before: when
    one gets worse, the step is undone and the script stops.

    A central row is never deleted.

.PARAMETER Undo
    Takes back what an earlier run did: deleted rows are made again from what was saved, last step first. A central row
    that was added stays.

.PARAMETER Folder
    Where the table and the notes for -Undo are kept. Default: the folder of the script.

.PARAMETER AnyServer
    Run although this computer has another name than the server that was examined.

.PARAMETER AllowToggle
    Do not ask before the last resort: writing a binding twice, without and with the central store, so that IIS makes the
    row itself. With shared configuration the other servers see the binding change for that moment.

.PARAMETER RenewPasswords
    Ask for the passwords of the central store although location and account are set already.

.EXAMPLE
    powershell.exe -ExecutionPolicy Bypass -File .\web2.ps1 -WhatIf

.EXAMPLE
    powershell.exe -ExecutionPolicy Bypass -File .\web2.ps1
#>
#Requires -Version 3.0
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium')]
param(
    [switch] $Undo,
    [string] $Folder = '',
    [switch] $AnyServer,
    [switch] $AllowToggle,
    [switch] $RenewPasswords
)

$ErrorActionPreference = 'Stop'

# ---- What is to be done, as data: nothing in these quotes is executed -----------------------------------------------
`;
