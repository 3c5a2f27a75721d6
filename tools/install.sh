#!/usr/bin/env bash
# install.sh FILE: makes .venv where there is none, and installs what FILE pins, only when FILE has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
pins=$1
stamp=.venv/installed-$pins

say() { printf '%s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    say "Latchkey needs Python 3.11 or newer, and there is none on the PATH (or name it: make run PYTHON=...)."
    return 1
}

# Debian's python3 comes without what `python3 -m venv` needs.
venv_works() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

fetch_venv() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "python$version-venv is missing; installing it."
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "python$version-venv" >/dev/null
}

make_venv() {
    python=$(find_python)
    if venv_works "$python"; then
        "$python" -m venv --clear .venv
    elif command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
        uv venv --quiet --clear --python "$python" .venv
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && fetch_venv "$python"; then
        "$python" -m venv --clear .venv
    else
        say "Python's venv module is missing. On Debian: apt-get install python3-venv"
        return 1
    fi
}

install_pins() {
    if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
        uv pip install --quiet --python .venv/bin/python --require-hashes -r "$pins"
    else
        .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$pins"
    fi
}

.venv/bin/python -c '' 2>/dev/null || make_venv
if ! cmp -s "$pins" "$stamp"; then
    say "Installing what $pins pins ..."
    install_pins
    cp "$pins" "$stamp"
fi
