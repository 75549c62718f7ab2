#!/bin/sh
# Runs the given test programs one after another. Of each the closing lines are shown, of one that fails
# everything. Usage: check.sh LOG_FOLDER TEST...
# A test may take LIMIT seconds (default 300); sanitized programs are slower and get three times that.
logs=$1
shift
mkdir -p "$logs" || exit 1
export LSAN_OPTIONS=suppressions=$PWD/tests/lib/lsan.supp:print_suppressions=0 # what libraries of others leave behind
limit=${LIMIT:-300}
[ "${SAN:-0}" = 1 ] && limit=$((limit * 3))

passed=0
failed=
for test in "$@"; do
    name=$(basename "$test")
    log=$logs/$name.log
    echo "== $test"
    timeout "$limit" "$test" > "$log" 2>&1 < /dev/null
    code=$?
    if [ "$code" = 0 ]; then
        passed=$((passed + 1))
        # cmocka's closing lines; for anything else the last line
        grep -E '^\[(==========|  PASSED  |  SKIPPED )\].*[0-9]' "$log" | grep -v 'Running' || tail -n 1 "$log"
    else
        cat "$log"
        if [ "$code" = 124 ]; then
            echo "$test: no end after $limit s"
        else
            echo "$test: exit code $code"
        fi
        failed="$failed $name"
    fi
done

if [ -n "$failed" ]; then
    echo "check: $passed test programs passed; failed:$failed"
    exit 1
fi
echo "check: all $passed test programs passed"
