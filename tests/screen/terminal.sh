#!/bin/bash
# The terminal is treated well: any size, any TERM, no colour, no UTF-8; suspended and continued; and given back
# as it was however the program ends.
. "$(dirname "$0")/../lib/screen.sh"
run="'$jamroll' --audio none"

# The program in the terminal: the shell's only child.
program() { pgrep -P "$(mux display-message -p '#{pane_pid}')"; }

# What the shell's terminal is like: modes, and whether the pane is on the other screen or shows the cursor.
modes() {
    mux display-message -p '#{alternate_on} #{cursor_flag} #{keypad_flag} #{mouse_any_flag}'
    type_line "clear; stty -g > '$work/stty.$1'; echo noted $1"
    see "modes noted" "^noted $1"
}

terminal 80 24
before=$(modes before)

# A quiet end.
type_line "$run; echo left \$?"
see "an empty band" 'an empty band'
keys q
see "left" '^left 0'
is "the terminal as before" "$before" "$(modes quit)"
is "its modes as before" "$(cat stty.before)" "$(cat stty.quit)"

# Killed in several ways: the terminal is given back, and work is not lost.
for signal in TERM HUP INT SEGV ABRT; do
    type_line "clear; $run; echo left \$?"
    see "$signal: up" 'an empty band'
    keys Enter
    see "$signal: a note is there" 'unsaved'
    kill -"$signal" "$(program)"
    see "$signal: the shell is back" '^left [1-9]'
    see "$signal: prompt" '^ready> *$'
    is "$signal: the terminal as before" "$before" "$(modes "$signal")"
    is "$signal: its modes as before" "$(cat stty.before)" "$(cat "stty.$signal")"
    is "$signal: the work is kept for the next start" 1 "$(find state/jamroll/journal -type f | wc -l)"
    rm -f state/jamroll/journal/*
done

# Suspended and continued, twice, by key and from outside.
type_line "clear; $run; echo left \$?"
see "up" 'an empty band'
keys Enter
see "a note" 'unsaved'
keys C-z
see "suspended" 'Stopped'
is "the terminal is the shell's" "${before% *}" "$(mux display-message -p '#{alternate_on} #{cursor_flag} #{keypad_flag}')"
type_line "clear; fg"
see "continued" 'NORMAL .*unsaved'
kill -TSTP "$(program)"
see "suspended from outside" 'Stopped'
type_line "clear; fg"
see "continued again" 'NORMAL .*unsaved'

# Sizes, while running.
for size in 60x16 72x24 100x28 120x40 200x60 40x10 80x24; do
    mux resize-window -x "${size%x*}" -y "${size#*x}"
    if [ "$size" = 40x10 ]; then
        see "$size says it is too small" '40 x 10 is too small'
    else
        see "$size is drawn to its foot" 'NORMAL .*undo 1'
    fi
done
keys '?'
see "help" 'keys and commands'
keys Escape
hide "help goes" 'keys and commands'
keys C-c
see "^C says how to quit" 'q quits'
leave

# Poor terminals.
for poor in TERM=no-such-terminal TERM=linux TERM=vt100 TERM=xterm NO_COLOR=1 LC_ALL=C; do
    terminal 80 24 "$poor"
    type_line "$run --no-mouse; echo left \$?"
    see "$poor: up" 'NORMAL'
    keys Enter
    see "$poor: works" 'unsaved'
    case $poor in LC_ALL=C) hide "$poor: ASCII alone" '│' ;; esac
    keys q n
    see "$poor: left" '^left 0'
done

terminal 80 24 TERM=dumb
type_line "$run; echo left \$?"
see "TERM=dumb is told so" 'cannot place text'
see "TERM=dumb: the shell goes on" '^left [1-9]'

# No terminal at all is told, not tried.
expect 1 "no terminal" "$jamroll"
has "says so" 'terminal' err
finish
