#!/bin/bash
# Help, usage errors, exit codes and where output goes.
. "$(dirname "$0")/../lib/cli.sh"
seeds=("$root"/assets/seeds/*.mid)

ok "version" "$jamroll" --version
has "version text" '^jamroll [0-9]+\.[0-9]+' out
ok "overview" "$jamroll" help
for command in generate accompany infill vary interpolate continue suggest render play info lint convert models dataset train eval doctor \
    devices help completion; do
    has "overview names $command" "^  $command " "$work/out"
done
for command in generate accompany infill vary interpolate continue suggest render play info lint convert models dataset train eval doctor devices; do
    "$jamroll" help "$command" > a 2> err
    ok "help of $command" "$jamroll" "$command" --help
    is "two ways to the help of $command" "$(cat a)" "$(cat out)"
    has "usage of $command" "^usage: jamroll $command" out
    has "options of $command" "--json" out
done

expect 2 "unknown command" "$jamroll" frobnicate
has "says so" 'frobnicate' err
expect 2 "unknown option" "$jamroll" generate --frobnicate
has "names the option" '\-\-frobnicate' err
expect 2 "a number out of range" "$jamroll" generate --n 0
expect 2 "not a number" "$jamroll" generate --seed x
expect 2 "too many arguments" "$jamroll" generate a b
expect 2 "too few arguments" "$jamroll" accompany
expect 2 "no such track" "$jamroll" accompany "${seeds[0]}" --keep kazoo
expect 2 "help of nothing" "$jamroll" help frobnicate
expect 2 "models frobnicate" "$jamroll" models frobnicate
expect 1 "the screen without a terminal" "$jamroll"
expect 3 "no such file" "$jamroll" info nowhere.mid
expect 3 "a folder" "$jamroll" info /tmp
is "errors leave standard output alone" "" "$(cat out)"

ok "completion" "$jamroll" completion
cp out completion
ok "completion is bash" bash -n completion
# shellcheck disable=SC1091
. ./completion
COMP_WORDS=(jamroll gen) COMP_CWORD=1 COMPREPLY=()
_jamroll
is "completes a command" "generate" "${COMPREPLY[0]:-}"
COMP_WORDS=(jamroll render --form) COMP_CWORD=2 COMPREPLY=()
_jamroll
is "completes an option" "--format" "${COMPREPLY[0]:-}"
COMP_WORDS=(jamroll render --format fl) COMP_CWORD=3 COMPREPLY=()
_jamroll
has "completes a choice" "flac" <(echo "${COMPREPLY[@]}")

"$jamroll" help > /dev/full 2> err
is "a full disk is told" 6 $?
has "and said" 'standard output' err

expect 2 "JSON of an error" "$jamroll" generate --json --n 0
has "has a schema" '"schema": 1' out
has "has the text" '"error": ".*--n' out
has "has the code" '"exit": 2' out
finish
