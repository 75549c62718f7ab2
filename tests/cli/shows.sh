#!/bin/bash
# A seed goes in, a band comes out, in every genre: what is kept stays note for note, everything else plays,
# no two takes are equal, and the same seed gives the same bytes. Then the sound of a take: as long as its
# bars and its tail, below full scale, every track to be heard.
. "$(dirname "$0")/../lib/cli.sh"
seeds=$root/assets/seeds
compgen -G "$JAMROLL_MODELS/*.safetensors" > weights || { echo "shows.sh: skipped, no weights in $JAMROLL_MODELS"; exit; }
genres=$("$jamroll" models list --json | awk '/"family":/ { band = /"band"/ } /"genres": \[$/ { on = band; next } /\]/ { on = 0 } on' | tr -d '", ' | sort -u)
genre_count=$(echo "$genres" | grep -c .)
result "the model lists genres" "$([ "$genre_count" -gt 1 ] && echo yes)" "$genre_count of them"
# A sanitized program takes ten times as long, and every genre the same way.
[ "${SAN:-0}" = 1 ] && genres=$(head -n 2 <<< "$genres")

# ---- the band: SEED KEEP TRACKS-REGEX BARS GENRE N ----

# What of the notes on standard input lies in the kept cells; TRACKS-REGEX is empty where nothing is kept.
kept() { awk -F '\t' -v tracks="^($1)$" -v end="$2" 'NR > 1 && $1 ~ tracks && $2 < end * 1920'; }

take_is_right() { # FILE KEPT-NOTES TRACKS-REGEX BARS
    local all other
    all=$("$jamroll" info --notes "$1")
    is "$1: the kept notes" "$2" "$(kept "$3" "$4" <<< "$all")"
    other=$(awk -F '\t' -v tracks="^($3)$" 'NR > 1 && $1 !~ tracks { print $1 }' <<< "$all" | sort -u | tr '\n' ' ')
    is "$1: the others play" "$(grep -Evx "$3" <<< "${all_tracks//|/$'\n'}" | sort | tr '\n' ' ')" "$other"
    sha256sum <<< "$all" >> "$work/sums"
}

band() {
    local seed=$seeds/$1.mid tracks=$3 bars=$4 dir=$2-$5 want take
    dir=${dir//[:,]/_}
    want=$("$jamroll" info --notes "$seed" | kept "$tracks" "$bars")
    [ "$2" = none ] || result "$1: there is something to keep" "$([ -n "$want" ] && echo yes)" "no notes of $tracks"
    ok "$2 kept, $5" "$jamroll" accompany "$seed" --keep "$2" --genre "$5" --seed 42 --n "$6" -o "$dir"
    if [ "$5" = rock ]; then # one genre stands for all: it is an index among others
        ok "$2 kept, $5, again" "$jamroll" accompany "$seed" --keep "$2" --genre "$5" --seed 42 --n "$6" -o "$dir-again"
        ok "$dir: the same bytes" diff -r "$dir" "$dir-again"
    fi
    is "$dir: files" "$6" "$(find "$dir" -name 'take-*.mid' | wc -l)"
    : > sums
    for take in "$dir"/take-*.mid; do
        take_is_right "$take" "$want" "$tracks" "$bars"
    done
    is "$dir: no two equal" "$6" "$(sort -u sums | wc -l)"
}

all_four() { # GENRE N
    band piano-ballad piano Piano 100000 "$1" "$2"
    band piano-ballad piano:1-2 Piano 2 "$1" "$2"
    band rock-groove drums,bass 'Drums|Bass' 100000 "$1" "$2"
    band walking-bass none '' 0 "$1" "$2"
}

all_four rock 8
for genre in $genres; do
    [ "$genre" = rock ] || all_four "$genre" 2
done
# Beyond the bars that are kept, the kept track itself goes on.
for take in piano_1-2-rock/take-*.mid; do
    result "$take: the piano goes on" "$([ -n "$(notes "$take" Piano 3 4)" ] && echo yes)" "bars 3 and 4 are empty"
done
# Another program reads the same kept notes.
if command -v midicsv > /dev/null; then
    other_eye() { midicsv "$1" | awk -F ', ' '$3 ~ /Title/ { on = $4 ~ /"Piano"/ } on && $3 ~ /Note_o/ { print $2, $3, $5, $6 }' | sort; }
    is "midicsv sees the same piano" "$(other_eye "$seeds/piano-ballad.mid")" "$(other_eye piano-rock/take-1.mid)"
fi

# ---- the sound ----

take=piano-rock/take-1.mid
number() { grep -m1 "\"$1\"" "$2" | tr -dc '0-9.-'; }
# Frames and highest sample of a 16-bit stereo WAV file, from its bytes.
wave() {
    local at
    at=$(grep -abo -m1 data "$1" | head -n 1 | cut -d : -f 1)
    od -A n -v -t d2 -w4 -j $((at + 8)) "$1" | awk '{ for (i = 1; i <= 2; i++) { a = $i < 0 ? -$i : $i; if (a > top) top = a } }
        END { print NR, top }'
}
sounds() { # NAME FILE: neither silent (-60 dB) nor clipped
    read -r frames top < <(wave "$2")
    result "$1 sounds" "$([ "$top" -gt 33 ] && echo yes)" "the highest sample is $top"
    result "$1 is below full scale" "$([ "$top" -lt 32767 ] && echo yes)" "the highest sample is $top"
}

ok "info" "$jamroll" info --json "$take"
bars=$(number seconds out)
want=$(awk "BEGIN { printf \"%d\", $bars * 44100 + 0.5 }")
near() { result "$1" "$([ $(($2 - $3)) -ge -2 ] && [ $(($2 - $3)) -le 2 ] && echo yes)" "$2 frames, not $3"; }
ok "render with a tail of 2 s" "$jamroll" render --json --tail 2 "$take" -o take.wav
sounds "the band" take.wav
near "its length is the bars and the tail" "$frames" $((want + 2 * 44100))
is "and what it says" "$frames" "$(number frames out)"
ok "render in a loop" "$jamroll" render --loop-exact "$take" -o loop.wav
sounds "the loop" loop.wav
near "it is as long as the bars" "$frames" "$want"
ok "render till it dies away" "$jamroll" render --json "$take" -o auto.wav
sounds "all of it" auto.wav
result "its tail ends" "$([ "$frames" -ge "$want" ] && [ "$frames" -le $((want + 8 * 44100)) ] && echo yes)" "$frames frames"

ok "every track alone" "$jamroll" render --stems "$take" -o solo.wav
is "five of them" 5 "$(find . -name 'solo-*.wav' | wc -l)"
for stem in solo-*.wav; do
    sounds "$stem" "$stem"
done

# The lengths that the FLAC header and the last Ogg page tell.
read -r frames top < <(wave auto.wav)
ok "FLAC" "$jamroll" render "$take" -o take.flac
is "is as long" "$frames" "$(od -A n -t u1 -j 22 -N 4 take.flac | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }')"
ok "Ogg Vorbis" "$jamroll" render "$take" -o take.ogg
page=$(grep -abo OggS take.ogg | tail -n 1 | cut -d : -f 1)
near "is as long" "$(od -A n -t d8 -j $((page + 6)) -N 8 take.ogg | tr -d ' ')" "$frames"
ok "by name of the format" "$jamroll" render --format flac "$take" -o named.flac
ok "are the same" cmp named.flac take.flac
ok "Ogg by name" "$jamroll" render --format ogg "$take" -o named.ogg
is "is Ogg" OggS "$(head -c 4 named.ogg)"
finish
