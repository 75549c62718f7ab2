# shellcheck shell=bash
# screen.sh: sourced by the tests of the screen. The real program in a real terminal (tmux, on a server of its
# own), keys typed into it, pictures read back. Nothing waits for a fixed time: `see` looks until what it wants
# is there or the time is over.
. "$(dirname "${BASH_SOURCE[0]}")/cli.sh"
export LC_ALL=C.UTF-8 # the pictures are UTF-8, and grep has to know, whatever the caller speaks
if ! command -v tmux > /dev/null; then
    echo "$(basename "$0"): tmux is needed"
    exit 1
fi
socket=
terminals=0
patience=${PATIENCE:-$([ "${SAN:-0}" = 1 ] && echo 90 || echo 30)}
trap 'terminal_close; rm -rf "$work"' EXIT

mux() { tmux -S "$socket" -f /dev/null "$@"; }

# A shell in a terminal of W x H; the variables that follow are set in it.
terminal() { # W H [NAME=VALUE...]
    local w=$1 h=$2
    shift 2
    terminal_close
    terminals=$((terminals + 1))             # an old server may still be leaving: each has its own socket
    socket=$work/tmux$terminals
    mux new-session -d -x "$w" -y "$h" env LC_ALL=C.UTF-8 "$@" bash --norc --noprofile
    mux set-option -g status off
    mux set-option -g escape-time 0
    mux resize-window -x "$w" -y "$h"
    type_line "PS1='ready> '; cd '$work'; clear"
    see "the shell is there" '^ready> *$'
}

terminal_close() { [ -z "$socket" ] || mux kill-server 2> /dev/null; }
type_line() { mux send-keys -l -- "$1" && mux send-keys Enter; }
keys() { mux send-keys "$@"; }                    # tmux key names: f Space C-c Escape
picture() { mux capture-pane -p > "$work/picture" 2> /dev/null; }

# see NAME PATTERN: the picture comes to match; hide NAME PATTERN: it comes not to.
see() { watch_for yes "$@"; }
hide() { watch_for no "$@"; }
watch_for() {
    local want=$1 name=$2 pattern=$3 found= until=$((SECONDS + patience))
    while [ "$SECONDS" -le "$until" ]; do
        picture
        found=$(grep -Eq -- "$pattern" "$work/picture" && echo yes || echo no)
        [ "$found" = "$want" ] && break
        sleep 0.05
    done
    result "$name" "$([ "$found" = "$want" ] && echo yes)" "$pattern: $want was wanted of"$'\n'"$(cat "$work/picture")"
    [ "$found" = "$want" ]
}

# Leave without saving, whatever the state.
leave() {
    keys Escape
    keys q
    if see "leaving" 'is not saved|^ready> *$' && grep -q 'is not saved' "$work/picture"; then
        keys n
    fi
    see "back in the shell" '^ready> *$'
}
