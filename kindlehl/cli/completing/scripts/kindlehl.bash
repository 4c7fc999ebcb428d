# bash completion for kindlehl. To have it in every new terminal:
#   kindlehl completion bash > ~/.local/share/bash-completion/completions/kindlehl

_kindlehl() {
    local candidate
    COMPREPLY=()
    # Each line is a word as bash reads it; it is inserted and never run.
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(kindlehl __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" "${COMP_TYPE:-9}" 2>/dev/null)
    if [ "${COMPREPLY[0]-}" = :files ]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    fi
}

complete -o nosort -F _kindlehl kindlehl 2>/dev/null || complete -F _kindlehl kindlehl
