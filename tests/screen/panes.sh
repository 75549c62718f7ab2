#!/bin/bash
# Panes, the palette, finding, the list of files, the log, the waterfall; the mouse in a terminal that has one.
. "$(dirname "$0")/../lib/screen.sh"
mkdir songs
cp "$root/assets/seeds/piano-ballad.mid" songs/ballad.mid
printf 'MThd' > songs/broken.mid
terminal 80 24 TERM=xterm-256color
type_line "'$jamroll' --audio none; echo left \$?"
see "an empty band" 'an empty band'

# A list of files: into the folder, by letters, with what is in the file.
keys C-o
see "files" '^. > .*of'
keys s o n g Enter
see "in the folder" 'songs/'
keys b r o k
see "a broken one says so" 'broken.mid'
keys C-u
keys b a l l
see "its bars and tempo" '[0-9]+ bars of 4/4, 72 BPM, [0-9]+ notes'
keys Enter
see "opened" 'ballad\.mid'
see "on the roll" ' NORMAL '

# Panes.
keys Tab
see "takes" 'NORMAL  takes'
keys Tab
see "generate" '>GENERATE|▸GENERATE'
for _ in 1 2 3 4 5 6 7 8; do
    grep -q "▸temperature" picture && break
    keys j
    sleep 0.1
    picture
done
keys l
see "one setting on" '▸temperature 1\.05'
keys Enter
see "typed" '^:temperature'
keys 0 . 7 Enter
see "and taken" '▸temperature 0\.70'
keys Tab
see "mixer" '▸MIXER'
keys Tab
see "round" 'NORMAL  [A-G]'
keys '|'
see "the roll alone" 'roll\|'
hide "no strips" '1 Drums'
keys '|'
see "and back" '1 Drums'

# The palette runs a command, or goes on at the prompt; / finds what the models know.
keys C-p
see "the palette" 'every command'
keys w a t e r f
see "found" '▸:waterfall'
keys Enter
see "the waterfall" 'NORMAL  waterfall'
keys q
see "q leaves it" '1 Drums'
keys C-p
keys t e m p o
see "found as well" '▸:tempo'
keys Enter
see "asks for the tempo" '^:tempo'
keys 9 1 Enter
see "set" ' 91\.0 4/4'
keys /
see "finding" 'find a take'
keys g e n r e Escape
hide "left" 'find a take'

# The log has what was said, and help is searched.
type_line ":frobnicate"
see "refused" 'no command'
type_line ":log"
see "noted" 'warning +no command "frobnicate"'
keys q
keys '?'
see "help" 'keys and commands'
keys / s t e m s Enter
see "found in it" ':stems'
keys q

# The mouse: a strip is focused, the wheel moves by pitch, with Shift by time; off is off.
is "the terminal tells of it" 1 "$(mux display-message -p '#{mouse_any_flag}')"
mux send-keys -l $'\e[<0;5;6M'; mux send-keys -l $'\e[<0;5;6m'
see "the bass has the focus" '▸4 Bass'
mux send-keys -l $'\e[<0;5;4M'; mux send-keys -l $'\e[<0;5;4m'
see "the piano has it" '▸2 Piano'
place=$(grep -o 'NORMAL .*vel' picture)
mux send-keys -l $'\e[<64;20;14M'
hide "another pitch" "$place"
keys 0
see "at the start" '001\.1\.1  vel'
mux send-keys -l $'\e[<69;20;14M'
see "another time" '001\.1\.2  vel'
type_line ":set mouse off"
see "off" 'mouse off'
is "the terminal keeps it" 0 "$(mux display-message -p '#{mouse_any_flag}')"
type_line ":set mouse on"
see "on" 'mouse on'
is "the terminal tells again" 1 "$(mux display-message -p '#{mouse_any_flag}')"
keys C-z
see "suspended" 'Stopped'
is "the shell has its mouse" 0 "$(mux display-message -p '#{mouse_any_flag}')"
type_line "clear; fg"
see "continued" ' NORMAL '
is "and so have we" 1 "$(mux display-message -p '#{mouse_any_flag}')"
leave
is "given back" 0 "$(mux display-message -p '#{mouse_any_flag}')"

type_line "clear; '$jamroll' --audio none --no-mouse; echo left \$?"
see "without a mouse" 'an empty band'
is "none asked for" 0 "$(mux display-message -p '#{mouse_any_flag}')"
leave
finish
