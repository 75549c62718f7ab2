#!/bin/bash
# The rc file as the screen sees it: settings and keys are in force, a bad line is told and stops nothing, and
# a project keeps the settings it was saved with.
. "$(dirname "$0")/../lib/screen.sh"
mkdir -p "$XDG_CONFIG_HOME/jamroll"
rc=$XDG_CONFIG_HOME/jamroll/rc
seed=$root/assets/seeds/piano-ballad.mid
printf '# mine\nset seed 4711\nset temperature 1.20\nbind Y tempo 133\nbind gb set batch 3\nbind <F6> track bass\n' > "$rc"
terminal 80 24
type_line "'$jamroll' --audio none '$seed'"
see "settings are in force on music" 'seed 4711.*T 1\.20'
keys Y
see "a key of the user works" ' 133\.0 '
keys g
see "two keys are in the pop-up" 'b batch 3|b set batch 3|b set'
keys b
see "and work" 'x3'
keys F6
see "a function key too" '-* ?4 Bass: '
type_line ":save p.jam"
see "saved" 'saved p\.jam'
leave

printf 'frobnicate\nset seed 1\nbind j undo\n' > "$rc"
type_line "clear; '$jamroll' --audio none p.jam"
see "the first bad line is told" 'rc:1: .*frobnicate.*1 more'
see "a project keeps its own settings" 'seed 4711.*T 1\.20'
type_line ":report"
see "both are in the report" 'rc:3: j is taken'
keys q
leave
finish
