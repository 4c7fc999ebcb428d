# PowerShell completion for kindlehl. To have it in every new terminal, add this line to $PROFILE:
#   kindlehl completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName kindlehl -ScriptBlock {
    param($word, $ast, $position)
    $before = @($ast.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $position } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    $typed = $word.Trim("'", '"')
    $answer = @(kindlehl __complete powershell @before "=$typed" 2>$null)
    if ($answer.Count -eq 1 -and $answer[0] -eq ':files') { return }
    # Each line is a word as PowerShell reads it, and what it means; it is inserted and never run.
    foreach ($line in $answer) {
        $written, $meaning = $line -split "`t", 2
        [System.Management.Automation.CompletionResult]::new($written, $written, 'ParameterValue', $meaning)
    }
}
