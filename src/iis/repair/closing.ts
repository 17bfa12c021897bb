/** How a mending script ends: undoing, and the run over the steps. ASCII without backticks. */
export const CLOSING = String.raw`
# ---- Undoing ---------------------------------------------------------------------------------------------------------

function Undo-Step($Note) {
    if ($Note.kind -eq 'delete-row') {
        if (Test-Row $Note.tag $Note.key) {
            Write-Line ('  ' + $Note.tag + '=' + $Note.key + ' is there already.')
            return
        }
        Restore-Row $Note.tag $Note.key $Note.row
        Write-Line ('  ' + $Note.tag + '=' + $Note.key + ' is there again.')
        return
    }
    if ($Note.kind -eq 'add-central-row') {
        Write-Line ('  ccs=' + $Note.key + ' stays: the script never deletes a central row.')
        return
    }
    if (-not $Note.enabled) {
        Write-Line '  The central store was off before. To turn it off: Disable-WebCentralCertProvider.'
        return
    }
    Set-CentralStore $Note.location $Note.user $false
    Write-Line ('  The central store is ' + $Note.location + ' again.')
}

function Invoke-Undo {
    $notes = @(Get-Note)
    if ($notes.Count -eq 0) { Write-Line ('There is nothing to undo: ' + $undoFile + ' has no steps.') }
    while ($notes.Count -gt 0) {
        $last = $notes[$notes.Count - 1]
        if (-not $cmdlet.ShouldProcess(([string] $last.kind + ' ' + [string] $last.key), 'Undo')) { return }
        Undo-Step $last
        $notes = @($notes | Select-Object -First ($notes.Count - 1))
        Set-Note $notes
    }
}

# ---- The run ---------------------------------------------------------------------------------------------------------

$cmdlet = $PSCmdlet

function Invoke-Run {
    if (-not $isDry) { Save-Table }
    $before = Get-Handshake
    foreach ($name in @($before.Keys)) { Write-Line ('Now, ' + $name + ': ' + $before[$name].state) }
    $number = 0
    foreach ($step in $steps) {
        $number += 1
        Write-Line ('Step ' + $number + ' of ' + $steps.Count + ': ' + $step.title)
        if (-not (Invoke-Step $step)) { continue }
        $after = Get-Handshake
        if (Compare-Handshake $before $after) {
            Write-Line '  A host that got its certificate does not get it any more: the step is undone.'
            $notes = @(Get-Note)
            Undo-Step $notes[$notes.Count - 1]
            Set-Note @($notes | Select-Object -First ($notes.Count - 1))
            throw 'Stopped: nothing after this step was done.'
        }
        $before = $after
    }
    Write-Line 'Done. Collect evidence again and run certfarm doctor with --since to see what changed.'
}

if ($Undo) { Invoke-Undo }
else { Invoke-Run }
`;
