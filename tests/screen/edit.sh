#!/bin/bash
# From an empty band: step entry, editing, flags and selections by keys; new music, cancelling, one bar anew.
. "$(dirname "$0")/../lib/screen.sh"
terminal 80 24
type_line "'$jamroll' --audio none; echo left \$?"
see "an empty band" 'an empty band'

# A melody by the piano keys: c d e f, a rest, a chord, a longer note.
keys i
see "STEP" ' STEP '
see "the gutter shows the keys" '^ C4 .* z '
keys z x c v Tab Enter q e t Enter ']' z Escape
see "back in NORMAL" ' NORMAL '
keys C-s
see "saved" 'saved untitled\.jam'
notes untitled.jam Piano | cut -f 2-4 > tune
is "what was typed is there" "0 240 60
240 240 62
480 240 64
720 240 65
1200 240 72
1200 240 76
1200 240 79
1440 480 60" "$(tr '\t' ' ' < tune | awk '{ print $1, $2, $3 }')"

# Undo to the start is the start.
keys u u u u u u u u
see "all undone" 'undo 0'
keys U U U U U U U U
see "all redone" 'undo 8  saved'

# Keep one bar of one track by a selection; the band may write all the rest.
keys 0 v f
see "one cell is kept" '2 Piano +kK'
keys s m M S
type_line ":seed 7"
see "the seed is fixed" 'seed 7 \(fixed\)'
keys g g
see "new music comes" 'generate: done, 8 of 8'
see "in the other tracks too" '1 Drums +g.*[a-z]'
type_line ":midi first.mid"
see "exported" 'wrote first\.mid'
is "the kept bar is what it was" "$(cat tune)" "$(notes first.mid Piano 1 1 | cut -f 2-4)"

# One bar of the bass anew: nothing else moves.
keys 4 0 '}' '}' g r
see "a bar comes anew" 'infill: done, 8 of 8'
type_line ":midi second.mid"
see "exported again" 'wrote second\.mid'
for part in "Drums 1 4" "Piano 1 4" "Guitar 1 4" "Strings 1 4" "Bass 1 2" "Bass 4 4"; do
    # shellcheck disable=SC2086
    is "$part stays" "$(notes first.mid $part)" "$(notes second.mid $part)"
done
result "bar 3 of the bass is another" "$([ "$(notes first.mid Bass 3 3)" != "$(notes second.mid Bass 3 3)" ] && echo yes)" "it is the same"

# A long job is stopped by ^C at once; what came stays.
type_line ":bars 32"
see "longer" '32 bars'
type_line ":batch 32"
see "many" '32 takes a request'
keys g g
see "under way" '\^C cancels'
keys C-c
see "stopped" 'generate: cancelled, [0-9]+ of 32'
keys Space
see "it still plays" '^ untitled\.jam\* +[▶>] '
leave
finish
