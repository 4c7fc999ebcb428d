"""Completion of command lines: what may stand where the cursor is, for bash, zsh, fish and PowerShell."""
