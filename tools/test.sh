#!/usr/bin/env bash
# Everything that has to be right before a change lands; ends with a summary, and with 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
failed=()

check() { # check NAME COMMAND...
    printf '\n== %s\n' "$1"
    "${@:2}" || failed+=("$1")
}

lint() {
    check "ruff: style, size, mistakes" ruff check --quiet --output-format concise .
    check "import contracts" lint-imports --no-logo
    check "types" mypy
    check "dependencies" deptry --no-ansi .
}

tests() {
    # One worker a file: a browser and a served portal are started once for all the tests of a file.
    check "tests" python -m pytest -n "${WORKERS:-2}" --dist loadfile "$@"
}

case ${1:-all} in
    lint) lint ;;
    all) lint && tests ;;
    *) tests "$@" ;;
esac
echo
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "All of it passed. Skipped tests, if any, are named above with what they lack."
