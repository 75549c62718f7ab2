#!/bin/bash
# Song form by keys: A A B A is built, played with the screen following, exported whole and in part, saved, and taken
# up again after the program was killed; a section the band goes on with; a file cut into its phrases.
. "$(dirname "$0")/../lib/screen.sh"
run="clear; '$jamroll' --audio none"
terminal 100 30
type_line "$run; echo left \$?"
see "an empty band" 'an empty band'
type_line ":bars 1"
see "one bar" '1 bars'
keys Enter
see "a note" 'undo 2'
keys C d
see "a copy as section B" 'form +A +\[B\]'
keys l l Enter C p C a
see "A twice" 'form +A +\[A\] +B'
keys C n C d C X
see "a third section goes again" 'removed'
type_line ":chain A A B A"
see "the chain" 'form +\[A\] +A +B +A .*4 bars'
keys '}' '}'
see "a bar on is a section on" 'form +A +A +\[B\] +A'
keys u
see "undo" 'undone: chain'
keys U
see "and redo" 'redone: chain'

# The whole is exported; a section where that is asked for.
type_line ":midi whole.mid"
see "exported whole" 'wrote whole\.mid  \(A A B A, 4 bars\)'
ok "info of it" "$jamroll" info whole.mid
has "four bars" '^4 bars' out
has "markers" 'form: bar 1 A, bar 2 A, bar 3 B, bar 4 A' out
is "the notes are where they belong" "0 1920 3840 4080 5760" "$(notes whole.mid Piano | cut -f 2 | paste -sd ' ')"
type_line ":section B"
see "in B" '\[B\]'
type_line ":export-section part.mid"
see "exported in part" 'wrote part\.mid  \(section B\)'
is "B alone" "0 240" "$(notes part.mid Piano | cut -f 2 | paste -sd ' ')"

# The whole plays, and the screen goes along once no key was pressed for a while.
type_line ":tempo 30"
see "slow" '30\.0 4/4'
type_line ":section A"
see "back in A" '\[A\]'
type_line ":tempo 60"
keys C w F5
see "it plays from the top" 'form +▶A\] +A +B +A .*plays whole'
see "and the screen goes along to B" 'form +A +A +▶B\] +A'
keys Space C w
see "stopped" 'plays section'

# Killed and recovered, saved, read by the command line.
kill -KILL "$(pgrep -P "$(mux display-message -p '#{pane_pid}')")"
see "killed" 'left 137'
type_line "reset; clear; stty sane"
see "the shell" '^ready> *$'
type_line "$run --recover; echo left \$?"
see "the form is there" 'form +.*A.* +.*A.* +.*B.* +.*A'
type_line ":save form.jam"
see "saved" 'saved form\.jam'
ok "the project as MIDI" "$jamroll" convert form.jam -o again.mid
is "has the whole" "$("$jamroll" info --notes whole.mid)" "$("$jamroll" info --notes again.mid)"
ok "one section of it" "$jamroll" convert form.jam --section b -o b.mid
is "is B" "$("$jamroll" info --notes part.mid)" "$("$jamroll" info --notes b.mid)"
expect 3 "no such section" "$jamroll" info form.jam --section Z
ok "the form" "$jamroll" info form.jam
has "is told" 'form: bar 1 A, bar 2 A, bar 3 B, bar 4 A' out

# The band goes on from B in a section of its own, and one step takes it back.
type_line ":section B"
type_line ":bars 4"
see "four bars" '4 bars'
type_line ":batch 2"
see "two takes" '2 takes a request'
keys g c
see "takes come" 'continue: done, 2 of 2'
see "in C" '\[C\]'
keys u
see "gone in one step" 'undone: continue'
hide "C is gone" '^ form  .* C .*plays'
leave

# Four bars of one pattern, cut into what they are.
type_line "$run whole.mid; echo left \$?"
see "markers are told" '4 markers'
type_line ":split 1"
see "the form appears" 'form +\[A\] +A +B +A'
type_line ":join all"
see "and goes" 'joined'
leave
finish
