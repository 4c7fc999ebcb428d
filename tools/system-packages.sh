#!/bin/sh
# Looks for what a PDF needs of the system and no wheel brings: Pango to set type, a font for Latin, one for Chinese,
# Japanese and Korean. Installs it where it may, else names the line to type. Never fails: only PDFs need it.
set -eu

venv=${VENV:-.venv}
. "$(dirname "$0")/say.sh"

pango() { "$venv/bin/python" -c 'import weasyprint' >/dev/null 2>&1; }
has_font() { command -v fc-list >/dev/null && fc-list "$1" | grep -q .; }

missing=
pango || missing="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
has_font :lang=en || missing="$missing fonts-dejavu-core"
has_font :lang=ja || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0

say "A PDF needs system packages that are not here yet."
# shellcheck disable=SC2086  # a list of packages
apt_install $missing || {
    if command -v apt-get >/dev/null; then
        say "Type: $(apt_line "$missing")"
    else
        say "Install Pango and a CJK font (macOS: brew install pango)."
    fi
    say "Going on without: everything but the PDF works the same."
}
