# shellcheck shell=bash
# cli.sh: sourced by the tests of the command line. A test runs in a folder of its own, with no
# configuration and no data but the tree's; each check counts, and `finish` says how many passed.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jamroll=${JAMROLL:-$root/build/jamroll}
case $jamroll in /*) ;; *) jamroll=$root/$jamroll ;; esac
[ -x "$jamroll" ] || { echo "there is no program $jamroll" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export HOME=$work/home XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data XDG_STATE_HOME=$work/state
export XDG_CACHE_HOME=$work/cache JAMROLL_MODELS=${JAMROLL_MODELS:-$root/models}
# What sound libraries keep until the end of the process is not ours to free.
export LSAN_OPTIONS=suppressions=$root/tests/lib/lsan.supp:print_suppressions=0
# Configurations are found beside the program; a sanitized one lies elsewhere.
mkdir -p "$HOME" "$XDG_DATA_HOME/jamroll"
ln -s "$root/assets/configs" "$XDG_DATA_HOME/jamroll/configs"
passed=0
failed=0

# ok NAME COMMAND...: the command succeeds. Output is kept in $work/out and $work/err.
ok() { expect 0 "$@"; }

# expect CODE NAME COMMAND...
expect() {
    local want=$1 name=$2 got
    shift 2
    "$@" > "$work/out" 2> "$work/err" < /dev/null
    got=$?
    result "$name" "$([ "$got" = "$want" ] && echo yes)" "exit code $got, not $want, of: $*"
}

# is NAME WANT GOT
is() { result "$1" "$([ "$2" = "$3" ] && echo yes)" "\"$3\" is not \"$2\""; }

# has NAME PATTERN FILE
has() { result "$1" "$(grep -Eq -- "$2" "$3" && echo yes)" "no \"$2\" in $3"; }

result() {
    if [ "$2" = yes ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1: $3"
        tail -n 20 "$work/err" 2> /dev/null
    fi
}

# Wait until a command answers yes, at most 60 s.
until_true() {
    for _ in {1..600}; do
        "$@" && return
        sleep 0.1
    done
    result "waiting for: $*" no "it never came"
}

finish() {
    echo "$(basename "$0"): $passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

# The notes of some tracks of a file, in bars FROM..TO (4/4) if given: what must not change when kept.
notes() { # FILE TRACKS-REGEX [FROM TO]
    "$jamroll" info --notes "$1" | awk -F '\t' -v tracks="^($2)$" -v from="${3:-1}" -v to="${4:-100000}" \
        'NR > 1 && $1 ~ tracks && $2 >= (from - 1) * 1920 && $2 < to * 1920'
}

export all_tracks='Drums|Piano|Guitar|Bass|Strings'
