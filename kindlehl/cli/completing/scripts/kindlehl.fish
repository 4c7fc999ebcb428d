# fish completion for kindlehl. To have it in every new terminal:
#   kindlehl completion fish > ~/.config/fish/completions/kindlehl.fish

function __kindlehl_complete
    set -l before (commandline -opc)
    set -l answer (kindlehl __complete fish $before[2..-1] "="(commandline -ct) 2>/dev/null)
    if test "$answer" = :files
        __fish_complete_path (commandline -ct)
    else
        string join -- \n $answer
    end
end

complete -c kindlehl -f -a '(__kindlehl_complete)'
