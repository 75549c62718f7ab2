#!/bin/sh
# Runs the given test programs, JOBS at a time (default: one a core). Of each the closing lines are shown, of one
# that fails everything. Usage: check.sh LOG_FOLDER TEST...
# A test may take LIMIT seconds (default 600); sanitized programs are slower and get three times that.
export LSAN_OPTIONS=suppressions=$PWD/tests/lib/lsan.supp:print_suppressions=0 # what libraries of others leave behind
limit=${LIMIT:-600}
[ "${SAN:-0}" = 1 ] && limit=$((limit * 3))

# Two folders may have a test of one name.
name_of() { printf %s "$1" | tr / -; }

one() { # LOG_FOLDER TEST: its report in one piece, its verdict into a file
    name=$(name_of "$2")
    log=$1/$name.log
    start=$(date +%s)
    timeout "$limit" "$2" > "$log" 2>&1 < /dev/null
    code=$?
    echo "$code" > "$1/$name.code"
    report=$(
        echo "== $2, $(($(date +%s) - start)) s"
        if [ "$code" = 0 ]; then
            # cmocka's closing lines; for anything else the last line
            grep -E '^\[(==========|  PASSED  |  SKIPPED )\].*[0-9]' "$log" | grep -v 'Running' || tail -n 1 "$log"
        elif [ "$code" = 124 ]; then
            cat "$log"
            echo "$2: no end after $limit s"
        else
            cat "$log"
            echo "$2: exit code $code"
        fi
    )
    printf '%s\n' "$report"
}

if [ "$1" = --one ]; then
    one "$2" "$3"
    exit 0
fi

logs=$1
shift
mkdir -p "$logs" || exit 1
rm -f "$logs"/*.code
printf '%s\n' "$@" | xargs -n 1 -P "${JOBS:-$(nproc)}" "$0" --one "$logs"

passed=0
failed=
for test in "$@"; do
    if [ "$(cat "$logs/$(name_of "$test").code" 2>&1)" = 0 ]; then
        passed=$((passed + 1))
    else
        failed="$failed $test"
    fi
done
if [ -n "$failed" ]; then
    echo "check: $passed test programs passed; failed:$failed"
    exit 1
fi
echo "check: all $passed test programs passed"
