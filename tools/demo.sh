#!/bin/sh
# Shows what kindlehl does, on a sample of its own and in a library of its own: everything it makes is in demo/, and the
# reader's own library and settings are not touched. demo/ is made anew each time.
set -eu

. "$(dirname "$0")/say.sh"
PATH="$PWD/${VENV:-.venv}/bin:$PATH"
export KINDLEHL_LIBRARY=demo/library.db
for place in CONFIG DATA STATE CACHE; do
    export "XDG_${place}_HOME=$PWD/demo/.home"
done

# Prints a command as a person would type it, then runs it.
show() {
    printf '\n$ kindlehl'
    for word in "$@"; do
        case $word in
            *[!a-zA-Z0-9_./=-]*) printf ' "%s"' "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    kindlehl "$@"
}

rm -rf demo
mkdir demo
printf '$ export KINDLEHL_LIBRARY=%s\n' "$KINDLEHL_LIBRARY"

show import "docs/sample/My Clippings.txt"
show import "docs/sample/My Clippings.txt"
show books
show list --book Walden
show search "pride"
show search "上善"
show note 320aba02 "and by my telephone"
show history 320aba02
show undo
show export markdown --to demo/markdown
show export csv --to demo/highlights.csv
# Without Pango a PDF cannot be set; it says so in a sentence, and the rest of the demo stands.
if ! show export pdf --to demo/pdf; then
    ! "${VENV:-.venv}/bin/python" -c 'import weasyprint' 2>/dev/null || stop "The PDF failed, and nothing is missing for it." "please report it"
fi

printf '\n$ cat "demo/markdown/Pride and Prejudice.md"\n'
cat "demo/markdown/Pride and Prejudice.md"

printf '\nIn demo/ now:\n'
find demo -type f ! -path '*/.*' ! -name 'library.db*' | LC_ALL=C sort | sed 's/^/  /'
