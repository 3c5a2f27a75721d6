#!/usr/bin/env bash
# Everything that has to be right before a change lands; ends with a summary, and with 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
failed=()
count=

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
    check "tests" counted python -m pytest -n "${WORKERS:-2}" --dist loadfile "$@"
}

counted() { # keeps the last line, which counts what passed, failed and was skipped
    local seen status=0
    seen=$(mktemp)
    "$@" | tee "$seen" || status=1
    count=$(tail -n 1 "$seen")
    rm -f "$seen"
    return $status
}

case ${1:-all} in
    lint) lint ;;
    all) lint && tests ;;
    *) tests "$@" ;;
esac
printf '\n%s\n' "$count"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
case $count in *skipped*) echo "######## Some tests were SKIPPED: above stands what they lack." ;; esac
echo "Everything that could run has passed."
