#!/bin/bash
# Suggestions: asked for, turned over, taken, taken back; where there are none; by themselves in STEP mode. By a network
# that has learnt next to nothing.
. "$(dirname "$0")/../lib/screen.sh"
mkdir -p midi/pop && cp "$root"/assets/seeds/*.mid midi/pop
ok "data" "$jamroll" dataset build --works midi -o works.bin --quiet
ok "a small network" "$jamroll" train frames --data works.bin -o few --set width=16,embed=8,hidden=16,rows=4 --steps 4 --quiet
rm -f few/checkpoint.safetensors few/*-last.safetensors
"$jamroll" convert --band "$root/assets/seeds/piano-ballad.mid" -o seed.mid
"$jamroll" info --notes seed.mid > before

terminal 100 30 JAMROLL_MODELS="$work/few"
type_line "'$jamroll' --audio none seed.mid; echo left \$?"
see "the seed is open" 'seed\.mid: [0-9]+ bars'
type_line ":track bass" # empty: nothing that is suggested is there already
see "its track" '▸4 Bass'
keys '}' '}' g
see "the pop-up of g" 'n next note'
keys n
see "the first, in words" 'suggestion 1/5: [A-G][#0-9-]+.* % +Tab takes it'
see "and as ghosts" '◇|@╌'
see "with keys of their own" '^ Tab take it'
keys g n
see "the second" 'suggestion 2/5'
keys BTab
see "the third" 'suggestion 3/5'
keys l
hide "gone, when the cursor goes" '^ Tab take it'
keys Tab
see "Tab goes round the panes" 'NORMAL +takes'
keys Tab Tab Tab h g n
see "asked anew" 'suggestion 1/5'
keys Escape
hide "dropped" '◇|@╌'
keys g n
see "and anew" 'suggestion 1/5'
keys g n
see "the other" 'suggestion 2/5'
names=$(sed -n 's/.*suggestion 2.5: \(.*\)  [0-9]* %.*/\1/p' picture)
keys Tab
see "taken, one step" 'undo 1 '
hide "the hand is behind it" '003\.1\.1  vel'
keys g n
see "and so on" 'suggestion 1/5'
keys Tab
see "a step each" 'undo 2 '
keys u
see "taken back" 'undone: suggestion'
keys u
see "all of it" 'undo 0 '
see "where it was" '003\.1\.1  vel'
keys U
see "and again" 'redone: suggestion'
type_line ":midi one.mid"
see "written" 'wrote one\.mid'
keys u
see "back to the seed" 'undo 0 '
"$jamroll" info --notes one.mid > after
is "its notes are those that were told" "$(echo "$names" | wc -w)" "$(diff before after | grep -c '^>')"

type_line ":keep bar"
see "the bar is kept" 'keep Bass'
keys g n
see "nothing is written there" 'bar 3 of Bass is kept'
type_line ":track drums"
keys g n
see "nothing for the kit" 'nothing for the kit'

type_line ":track strings"
type_line ":set suggest on"
see "by itself" 'after each step of STEP mode'
keys 0 i z
see "after a note" 'suggestion 1/5: .* Shift-Tab the next'
keys BTab
see "turned over" 'suggestion 2/5'
keys Tab
see "taken, and the next is there" 'suggestion 1/5'
keys Escape
hide "STEP left, none left" '^ Tab take it'
see "what was entered and what was taken" 'NORMAL.*undo 3 '
type_line ":suggest off"
see "no more" 'come when asked for'
keys i z
hide "of their own accord" 'suggestion'
keys Escape q
see "it asks" 'is not saved'
keys n
see "gone, cleanly" '^left 0'
finish
