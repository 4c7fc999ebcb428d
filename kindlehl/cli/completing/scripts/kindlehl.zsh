#compdef kindlehl
# zsh completion for kindlehl. To have it in every new terminal, write it to a folder of $fpath:
#   kindlehl completion zsh > ~/.zfunc/_kindlehl

_kindlehl() {
    local answer word
    local -a parts values shown
    answer=$(kindlehl __complete zsh "${(@Q)words[2,CURRENT-1]}" "=${(Q)PREFIX}" 2>/dev/null)
    if [[ $answer == :files ]]; then
        _files
        return
    fi
    # Word and description by turns; zsh writes a word with the quotes that it needs.
    parts=("${(@0)answer}")
    for word description in "${(@)parts}"; do
        [[ -n $word ]] || continue
        values+=("$word")
        shown+=("$description")
    done
    (( $#values )) && compadd -d shown -a values
}

if [[ $funcstack[1] == _kindlehl ]]; then
    _kindlehl "$@"
else
    compdef _kindlehl kindlehl
fi
