#!/bin/bash
# The export pop-up: score, rolls and stems of both kinds, by two keys each, and nothing is overwritten.
. "$(dirname "$0")/../lib/screen.sh"
seeds=("$root"/assets/seeds/rock-groove.mid)
cp "${seeds[0]}" seed.mid
terminal 100 28
type_line "'$jamroll' --audio none seed.mid; echo left \$?"
see "the seed is open" 'seed\.mid: [0-9]+ bars'
keys e
see "the pop-up names stems" 's stems'
see "and the score" 'x .*musicxml'
keys x
see "a score" 'wrote seed\.musicxml'
keys e n
see "a roll" 'wrote seed\.npz'
keys e p
see "a picture" 'wrote seed\.png'
keys e s
see "stems of both kinds" 'wrote 2 stems of seed\.wav: peak'
keys e s
see "and again under other names" 'wrote 2 stems of seed-2\.wav: peak'
type_line ":stems .mid"
see "one kind alone" 'wrote 2 stems of seed-3\.mid'
leave
for part in 1-Drums 4-Bass; do
    for name in seed seed-2; do
        ok "$name-$part.mid opens" "$jamroll" info --notes "$name-$part.mid"
        ok "$name-$part.wav has sound" test "$(stat -c %s "$name-$part.wav")" -gt 100000
    done
done
has "score ends" '^</score-partwise>' seed.musicxml
is "MIDI stems hold all notes" "$("$jamroll" info --notes seed.mid | tail -n +2 | wc -l)" \
    "$(for f in seed-1-Drums.mid seed-4-Bass.mid; do "$jamroll" info --notes "$f" | tail -n +2; done | wc -l)"
finish
