#!/bin/bash
# Killed without warning, the program takes up at the next start what was not saved: y recovers, n throws it away,
# Esc asks again; --recover does not ask; what was saved is not offered.
. "$(dirname "$0")/../lib/screen.sh"
run="clear; '$jamroll' --audio none"
program() { pgrep -P "$(mux display-message -p '#{pane_pid}')"; }
killed() {
    kill -KILL "$(program)"
    see "killed" 'left 137'
    type_line "reset; clear; stty sane"
    see "the shell" '^ready> *$'
}
cp "$root"/assets/seeds/piano-ballad.mid seed.mid
terminal 80 24
type_line "$run seed.mid; echo left \$?"
see "the seed is open" 'seed\.mid: [0-9]+ bars'
keys Enter l Enter t t
see "asked by how much" ':transpose'
keys -l 5
keys Enter
see "edited" 'unsaved +undo 3|undo 3 +unsaved'
killed

type_line "$run; echo left \$?"
see "it is offered" 'recover seed\.mid from [0-9:]+\?'
keys Escape
see "not now" 'an empty band'
keys q
see "left" '^left 0'
type_line "$run; echo left \$?"
see "it is offered again" 'recover seed\.mid from'
keys y
see "recovered" 'recovered seed\.mid from [0-9:]+: not saved yet'
killed

type_line "$run --recover; echo left \$?"
see "recovered without a question, and once more" 'recovered seed\.mid from'
keys C-s
see "saved" 'saved seed\.jam'
keys q
see "left" '^left 0'
type_line "$run seed.mid; echo left \$?"
see "open again" 'seed\.mid: [0-9]+ bars'
keys Enter l Enter
keys t t
see "asked by how much" ':transpose'
keys -l 5
keys Enter
see "the same edits by hand" 'undo 3'
type_line ":midi hand.mid"
see "exported" 'wrote hand\.mid'
is "nothing was lost" "$("$jamroll" info --notes hand.mid)" "$("$jamroll" info --notes seed.jam)"
kill -TERM "$(program)"
see "told where the work is" 'can be taken up at the next start'
type_line "$run; echo left \$?"
see "it is offered" 'recover seed\.mid from'
keys n
keys q
see "thrown away" '^left 0'
type_line "$run --recover; echo left \$?"
see "nothing is left" 'nothing to recover'
is "no file is left" "" "$(ls "$work/state/jamroll/journal")"
finish
