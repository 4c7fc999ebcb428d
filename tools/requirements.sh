#!/bin/sh
# Compiles requirements/*.in to files with hashes, for every platform and Python from 3.11; raises versions only when
# asked: make requirements UPGRADE=--upgrade
set -eu

. "$(dirname "$0")/say.sh"
PATH="${VENV:-.venv}/bin:$PATH"
command -v uv >/dev/null || stop "Compiling the requirements needs uv." "type: ${VENV:-.venv}/bin/pip install uv"

for name in base dev; do
    # No index address is written: the files say what is installed, the reader's own settings say where it comes from.
    # shellcheck disable=SC2086  # UPGRADE is options
    uv pip compile --quiet ${UPGRADE:-} --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-header "requirements/$name.in" -o "requirements/$name.txt"
done
