#!/usr/bin/env bash
# Installs what the rivals need into bench/peers/.venv, only when the pins have changed.
set -euo pipefail
cd "$(dirname "$0")"

cmp -s requirements.txt .venv/installed && exit 0
echo "Installing the rivals of the benchmark ..."
if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
    uv venv --quiet --clear --python ../../.venv/bin/python .venv
    uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.txt
else
    ../../.venv/bin/python -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
fi
cp requirements.txt .venv/installed
