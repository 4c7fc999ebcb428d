#!/bin/sh
# Makes the virtual environment: `setup.sh base` brings what kindlehl needs to run, `setup.sh dev` what proves it.
# Run twice, the second run changes nothing. Called by make, which keeps a stamp for each set.
set -eu

set_name=$1
python=${PYTHON:-python3}
venv=${VENV:-.venv}
. "$(dirname "$0")/say.sh"

command -v "$python" >/dev/null ||
    stop "kindlehl needs Python 3.11 or newer, and \"$python\" was not found." "name one: make demo PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "kindlehl needs Python 3.11 or newer; \"$python\" is $("$python" -c 'import platform; print(platform.python_version())')." \
        "name another: make demo PYTHON=python3.12"

has_ensurepip() { "$python" -c 'import ensurepip' 2>/dev/null; }

# The pip for the environment: its own, or for a Python that comes without ensurepip one from outside.
find_pip() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        echo "$venv/bin/python -m pip"
        return
    fi
    has_ensurepip || for pip in "$python -m pip" pip3 pip; do
        # shellcheck disable=SC2086  # "python3 -m pip" is three words
        if $pip --python "$venv/bin/python" --version >/dev/null 2>&1; then
            echo "$pip --python $venv/bin/python"
            return
        fi
    done
    return 1
}

# A half-made environment has a python and no pip.
whole() { "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && find_pip >/dev/null; }

make_venv() {
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    has_ensurepip || apt_install "$package" || say "$package is not installed; trying with a pip from elsewhere."
    say "Making $venv with $("$python" -V)."
    trap 'rm -rf "$venv"' EXIT INT TERM
    if has_ensurepip; then
        "$python" -m venv --clear "$venv"
    else
        "$python" -m venv --clear --without-pip "$venv"
    fi
    whole || stop "\"$python\" cannot make a virtual environment, and there is no pip to do without." "type: $(apt_line "$package")"
    trap - EXIT INT TERM
}

whole || make_venv
pip=$(find_pip)

# shellcheck disable=SC2086  # $pip is several words
install() { $pip --disable-pip-version-check install --quiet "$@"; }

say "Installing requirements/$set_name.txt into $venv."
install --require-hashes -r "requirements/$set_name.txt" ||
    stop "The packages could not be installed." "the network is needed once; then run this again"
install --no-build-isolation --no-deps -e .
