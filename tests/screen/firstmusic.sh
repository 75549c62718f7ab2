#!/bin/bash
# The whole way on the screen: open a seed, keep its track, choose a genre, let the band accompany, flip takes,
# play, save, export, quit; then the files are looked at: what was kept is note for note what it was, every
# other track plays, and the project opens again as it was left.
. "$(dirname "$0")/../lib/screen.sh"
seeds=("$root"/assets/seeds/*.mid)
cp "${seeds[0]}" seed.mid
track=$("$jamroll" convert --band seed.mid --to mid -o - | "$jamroll" info --notes - | awk -F '\t' 'NR == 2 { print $1 }')
"$jamroll" convert --band seed.mid -o band.mid
notes band.mid "$track" > before
genre=$("$jamroll" models list --json | tr -d '" \n' | grep -oE 'genres:\[[^],]+' | head -1 | sed 's/.*\[//')

terminal 80 24
type_line "'$jamroll' --audio none seed.mid; echo left \$?"
see "the seed is open" 'seed\.mid: [0-9]+ bars'
see "the cursor is on its track" ".[1-5] ${track:0:6}"

keys f
see "kept" "[1-5] ${track:0:6} *K"
keys g
see "the pop-up of g" 'a accompany'
keys e
see "the prompt offers genres" ':genre'
see "and lists them" "$genre"
mux send-keys -l "$genre"
keys Enter
see "the genre is chosen" "genre $genre"
type_line ":seed 42"
see "the seed is fixed" 'seed 42 \(fixed\)'
keys g a
see "the band plays, and what came first is there" 'takes.*\[[1-8]\]'
see "all eight come" '(done, 8 of 8 takes|takes.*[^0-9]8 )'
see "and it says so" 'accompany: done, 8 of 8 takes'
type_line ":take 1"
see "the first" 'take 1: seed 42'

keys ]
see "the next take" 'take 2: seed 43'
keys ] ]
see "and on" '\[4\]'
keys A [ B
see "marked" '\[3\]BA 4 '
keys '\'
see "flipped" 'take 4: seed 45'
keys '*'
see "starred" '4\*'

keys Space
see "it plays" '^ seed\.mid\*  [▶>] '
see "the playhead moves" '[▶>] 00[1-9]\.[2-9]'
keys Space
see "it stops" '^ seed\.mid\*  [■.] '

keys u
see "the whole generation is one step back" 'undone: take'
keys U
see "and forth" 'redone: take'
see "the take is there again" '\[4\*\]'

type_line ":midi out.mid"
see "exported" 'wrote out\.mid'
type_line ":render out.wav"
see "rendered aside" 'wrote out\.wav: [0-9.]+ s'
keys q
see "it asks" 'seed\.mid is not saved'
keys Escape
hide "and lets one stay" 'is not saved'
keys C-s
see "saved" 'saved seed\.jam'
keys q
see "gone, cleanly" '^left 0'
see "the shell has its terminal back" '^ready> *$'

notes out.mid "$track" > after
is "kept notes are what they were" "$(cat before)" "$(cat after)"
ok "there was something to keep" test -s before
is "every track plays" 5 "$("$jamroll" info --notes out.mid | awk -F '\t' 'NR > 1 { print $1 }' | sort -u | wc -l)"
is "the project holds the same notes" "$("$jamroll" info --notes out.mid)" "$("$jamroll" info --notes seed.jam)"
ok "the command line agrees" "$jamroll" accompany band.mid --keep "$(echo "$track" | tr '[:upper:]' '[:lower:]')" --genre "$genre" --seed 45 --n 1 -o same.mid
is "note for note" "$(notes same.mid "$all_tracks")" "$(notes out.mid "$all_tracks")"
ok "the file says how" "$jamroll" info out.mid
has "its seed" 'seed=45' out
ok "sound was written" test "$(stat -c %s out.wav)" -gt 100000
ok "the seed itself was not touched" cmp seed.mid "${seeds[0]}"

type_line "clear; '$jamroll' --audio none seed.jam; echo left \$?"
see "the project opens as it was left" '\[4\*\]'
see "with its flag" "[1-5] ${track:0:6} *K"
see "and its genre" "  $genre  "
keys q
see "nothing is unsaved, so nothing is asked" '^left 0'
finish
