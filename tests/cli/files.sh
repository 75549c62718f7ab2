#!/bin/bash
# info, lint, convert and render on the seeds, and on files that are not what they claim to be.
. "$(dirname "$0")/../lib/cli.sh"
seeds=("$root"/assets/seeds/*.mid)

for seed in "${seeds[@]}"; do
    name=$(basename "$seed" .mid)
    ok "$name: info" "$jamroll" info "$seed"
    ok "$name: info as JSON" "$jamroll" info --json "$seed"
    has "$name: schema" '"schema": 1' out
    ok "$name: roll" "$jamroll" info --roll --ascii "$seed"
    ok "$name: nothing odd" "$jamroll" lint "$seed"
    "$jamroll" info --notes "$seed" > before
    ok "$name: written again" "$jamroll" convert "$seed" -o again.mid
    ok "$name: read again" "$jamroll" info --notes again.mid
    is "$name: the same notes" "$(cat before)" "$(cat out)"
    ok "$name: format 0" "$jamroll" convert --format 0 "$seed" -o zero.mid
    is "$name: format 0 has the same notes" "$(cut -f 2- before | sort)" "$("$jamroll" info --notes zero.mid | cut -f 2- | sort)"
    ok "$name: through npz" "$jamroll" convert "$seed" -o roll.npz
    ok "$name: back from npz" "$jamroll" convert roll.npz -o back.mid
    is "$name: as many notes" "$(wc -l < before)" "$("$jamroll" info --notes back.mid | wc -l)"
done
seed=${seeds[0]}

ok "picture" "$jamroll" convert "$seed" -o roll.png
has "is a PNG" 'PNG' roll.png
ok "numpy" "$jamroll" convert "$seed" -o roll.npy
has "is a npy" 'NUMPY' roll.npy
ok "score" "$jamroll" convert "$seed" -o score.musicxml
has "is MusicXML" '^</score-partwise>' score.musicxml
"$jamroll" info --notes - < "$seed" > out 2> err
is "standard input" "$("$jamroll" info --notes "$seed")" "$(cat out)"
"$jamroll" convert "$seed" --to mid -o - > piped.mid 2> err
"$jamroll" convert "$seed" -o file.mid 2> err
ok "standard output is the file" cmp piped.mid file.mid
expect 2 "convert into what?" "$jamroll" convert "$seed" -o x.doc
expect 6 "cannot write" "$jamroll" convert "$seed" -o nowhere/x.mid

ok "render" "$jamroll" render --json "$seed" -o out.wav
seconds=$(grep '"seconds"' out | tr -dc '0-9.')
bars=$("$jamroll" info --json "$seed" | grep -m1 '"seconds"' | tr -dc '0-9.')
ok "as long as its bars, and a tail of at most 8 s" awk "BEGIN { exit !($seconds >= $bars && $seconds <= $bars + 8.1) }"
has "not clipped" '"clipped": 0' <("$jamroll" render --json "$seed" -o again.wav 2> err)
ok "the same samples twice" cmp out.wav again.wav
is "RIFF" "RIFF" "$(head -c 4 out.wav)"
for format in flac ogg opus; do
    ok "render $format" "$jamroll" render "$seed" -o "out.$format"
    ok "$format is not empty" test "$(wc -c < "out.$format")" -gt 2000
done
is "fLaC" "fLaC" "$(head -c 4 out.flac)"
is "OggS" "OggS" "$(head -c 4 out.ogg)"
"$jamroll" render "$seed" -o - 2> err | cmp -s - out.wav
is "to standard output" 0 $?
ok "stems" "$jamroll" render --json --stems "$seed" -o stem.wav
has "peaks are told" '"peak_db": -?[0-9]' out
is "no stem is silent" 0 "$(grep -c '"peak_db": null' out)"
is "a stem for each track with notes" "$("$jamroll" info --notes "$seed" | awk -F '\t' 'NR > 1 { print $1 }' | sort -u | wc -l)" \
    "$(find . -name 'stem-*.wav' | wc -l)"
ok "our own SoundFont" "$jamroll" render --json --soundfont builtin "$seed" -o built.wav
has "its peak is told" '"peak_db": -?[0-9]' out
is "sounds" 0 "$(grep -c '"peak_db": null' out)"
expect 3 "no such SoundFont" "$jamroll" render --soundfont nowhere.sf2 "$seed" -o x.wav
expect 2 "no such audio format" "$jamroll" render "$seed" -o x.doc
expect 6 "cannot write audio" "$jamroll" render "$seed" -o nowhere/x.wav
expect 2 "bad gain" "$jamroll" render --gain loud "$seed" -o x.wav
ok "gain with a unit" "$jamroll" render --gain "-12dB" --tail 0 "$seed" -o x.wav

# What a foreign file becomes.
ok "bars" "$jamroll" convert "$seed" --bars 2-3 -o part.mid
is "bars 2 and 3 alone" "$(notes "$seed" "$all_tracks" 2 3 | awk -F '\t' '{ print $1, $2 - 1920, $4 }')" \
    "$("$jamroll" info --notes part.mid | awk -F '\t' 'NR > 1 { print $1, $2, $4 }')"
ok "another role" "$jamroll" convert "$seed" --map 1=strings -o strings.mid
has "is told" 'track 1 .*: Strings' err
is "as many notes" "$("$jamroll" info --notes "$seed" | wc -l)" "$("$jamroll" info --notes strings.mid | wc -l)"
is "on that role" "Strings" "$("$jamroll" info --notes strings.mid | awk -F '\t' 'NR > 1 { print $1 }' | sort -u)"
ok "another tempo and metre" "$jamroll" convert "$seed" --tempo 90 --metre 3/4 -o three.mid
has "both" '90\.0 bpm, 3/4' <("$jamroll" info three.mid)
for wrong in "--map 9=bass" "--map 1=flute" "--bars 0-2" "--bars 99" "--metre 3/5" "--metre three" "--tempo 0"; do
    # shellcheck disable=SC2086 # an option and its value
    expect 2 "$wrong" "$jamroll" convert "$seed" $wrong -o x.mid
done
ok "the beat as JSON" "$jamroll" info --json "$seed"
has "its feel" '"feel": "straight"' out
ok "a picture in three" "$jamroll" convert three.mid --overlay -o three.png
ok "one file a track" "$jamroll" convert "$root"/assets/seeds/rock-groove.mid --stems -o part.mid
is "all notes" "$("$jamroll" info --notes "$root"/assets/seeds/rock-groove.mid | tail -n +2 | wc -l)" \
    "$(for f in part-*.mid; do "$jamroll" info --notes "$f" | tail -n +2; done | wc -l)"
expect 2 "stems of a picture" "$jamroll" convert "$seed" --stems -o x.png

head -c 200 /dev/urandom > noise.mid
expect 3 "noise" "$jamroll" info noise.mid
: > empty.mid
expect 3 "no bytes" "$jamroll" info empty.mid
head -c 100 roll.npz > cut.npz
expect 3 "half an npz" "$jamroll" info cut.npz
printf 'MThd\0\0\0\6\0\1\0\1\1\340MTrk\0\0\0\4\0\377\057\0' > silent.mid
ok "a file without notes" "$jamroll" info silent.mid
expect 7 "renders to nothing" "$jamroll" render silent.mid -o x.wav
expect 1 "lint says so" "$jamroll" lint silent.mid
head -c 300 "$seed" > cut.mid
"$jamroll" info cut.mid > out 2> err
has "half a file is read as far as it goes" '^odd:' out

ok "play without sound" timeout 20 "$jamroll" play --audio none "$seed"
: > err # what the play before said is not this one's
"$jamroll" play --audio none --loop "$seed" > out 2> err &
player=$!
until_true grep -q 'Ctrl-C stops' err # before that a background job has Ctrl-C turned off
kill -INT $player
wait $player
is "play ends on Ctrl-C" 130 $?
expect 5 "no such MIDI port" "$jamroll" play --midi-out "no such port" "$seed"
finish
