#!/usr/bin/env bash
# Everything that has to be right before a change lands; ends with a summary, and with 1 if anything failed.
# TEST_DATABASE=postgresql|mariadb runs the whole suite there alone; WORKERS=n are so many at once on SQLite.
set -uo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
# Where Python may not keep what it compiled, each of the workers compiles all tests anew: 9 s of CPU.
unset PYTHONDONTWRITEBYTECODE
# What depends on the kind of database: who waits for whom, what is kept in which order, migrations.
OF_DATABASES="tests/core/test_chain.py tests/core/test_db.py tests/core/test_migrations.py tests/core/test_rows.py
    tests/core/test_tally.py tests/core/test_throttle.py tests/core/test_shared.py tests/core/test_looks.py tests/core/test_worded.py tests/accounts/test_admins.py
    tests/accounts/test_directory.py tests/recovery/test_program_races.py tests/recovery/test_waits.py tests/attacks/test_desk_races.py
    tests/attacks/test_email_change.py tests/attacks/test_family_e.py tests/attacks/test_not_you.py
    tests/attacks/test_races.py tests/attacks/test_second_factor.py tests/delivery/test_outbox.py tests/delivery/test_leases.py"
failed=()
counts=()

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

tests() { # tests NAME ARGUMENTS...
    # One worker a file: a browser and a served portal are started once for all the tests of a file.
    check "$1" counted python -m pytest -n "${WORKERS:-4}" --dist loadfile --no-loadscope-reorder "${@:2}"
}

also_on() { # also_on KIND: every story of OF_DATABASES once
    # shellcheck disable=SC2086
    TEST_DATABASE=$1 TEST_ONCE=1 tests "what depends on the database, on $1" $OF_DATABASES
}

beside() { # beside COMMAND...: another worker runs meanwhile what depends on the kind of database
    others=$(mktemp -d)
    set -m # a group of processes of its own: who interrupts us ends all of it
    WORKERS=1 tools/test.sh others "$others/counts" >"$others/said" 2>&1 &
    set +m
    trap 'kill -INT -- -$! 2>/dev/null; wait $!; rm -rf "$others"' EXIT
    "$@"
    wait $! || failed+=("what depends on the database")
    cat "$others/said"
    mapfile -t -O ${#counts[@]} counts <"$others/counts"
    trap - EXIT
    rm -rf "$others"
}

counted() { # keeps the last line, which counts what passed, failed and was skipped
    local seen status=0
    seen=$(mktemp)
    "$@" | tee "$seen" || status=1
    counts+=("$(tail -n 1 "$seen")")
    rm -f "$seen"
    return $status
}

case ${1:-all} in
    lint) lint ;;
    all)
        if [ "${TEST_DATABASE:-}" ]; then
            lint && tests "tests on $TEST_DATABASE"
        else
            lint && beside tests "tests on sqlite"
        fi
        ;;
    others)
        also_on postgresql
        also_on mariadb
        printf '%s\n' "${counts[@]}" >"$2"
        exit ${#failed[@]}
        ;;
    *) tests tests "$@" ;;
esac
echo
printf '%s\n' "${counts[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
case ${counts[*]} in *skipped*) echo "######## Some tests were SKIPPED: above stands what they lack." ;; esac
echo "Everything that could run has passed."
