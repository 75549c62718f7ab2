#!/bin/bash
# What could come next: a table, JSON, a file with one of them in it; places as the screen tells them; what is no
# place. By a network that has learnt next to nothing.
. "$(dirname "$0")/../lib/cli.sh"
seed=$root/assets/seeds/piano-ballad.mid
mkdir -p midi/pop && cp "$root"/assets/seeds/*.mid midi/pop
ok "data" "$jamroll" dataset build --works midi -o works.bin --quiet
ok "a small network" "$jamroll" train frames --data works.bin -o few --set width=16,embed=8,hidden=16,rows=4 --steps 4 --quiet
rm -f few/checkpoint.safetensors few/*-last.safetensors
export JAMROLL_MODELS=$work/few

# Of a track that is empty: nothing that is suggested is there already.
ok "five suggestions" "$jamroll" suggest "$seed" --track bass --at 3.1
has "says where" '^Bass at 3\.1\.1, by frames$' out
is "five rows" 5 "$(grep -cE '^ +[1-5] +[0-9.]+ % +[0-9]+\.[1-4]\.[1-4] +[0-9.]+  [A-G][#0-9-]' out)"
awk 'NR > 2 { print $2 }' out > p
is "the likeliest first" "$(sort -rn p)" "$(cat p)"
is "no two alike" 5 "$(awk 'NR > 2 { $1 = $2 = $3 = ""; print }' out | sort -u | wc -l)"
cp out first
ok "the same again" "$jamroll" suggest "$seed" --track bass --at 3.1
is "the same bytes" "$(cat first)" "$(cat out)"
ok "behind what is there, when no place is named" "$jamroll" suggest "$seed" -n 2
has "in the bar after the last" '^Piano at 5\.1\.1' out
ok "a sixteenth" "$jamroll" suggest "$seed" --at 2.3.4 --track bass
has "of another track" '^Bass at 2\.3\.4' out

ok "JSON" "$jamroll" suggest "$seed" --track bass --at 3.1 --json
for word in '"schema": 1' '"track": "Bass"' '"at": "3\.1\.1"' '"rank": 5' '"probability": 0\.' '"hash": "[0-9a-f]{16}"'; do
    has "has $word" "$word" out
done
pitches=$(tr -d ' \n' < out | sed 's/.*"rank":2,//; s/"rank":3.*//' | grep -oE '"pitch":[0-9]+' | cut -d: -f2 | sort -n)

"$jamroll" convert --band "$seed" -o band.mid
ok "the second in a file" "$jamroll" suggest band.mid --track bass --at 3.1 --take 2 -o next.mid
"$jamroll" info --notes band.mid > before
"$jamroll" info --notes next.mid > after
is "its notes" "$pitches" "$(diff before after | awk '/^>/ { print $5 }' | sort -n)"
is "at or after the place" "" "$(diff before after | awk '/^>/ && $3 < 2 * 1920')"
ok "and who wrote it" "$jamroll" info next.mid
has "is told" 'made by: jamroll.* model=frames .* p=0\.' out
ok "the first, unless it is said" "$jamroll" suggest band.mid --track bass --at 3.1 -o one.mid
ok "to standard output, and nothing else" sh -c '"$1" suggest band.mid --track bass --at 3.1 -o - | cmp - one.mid' - "$jamroll"
ok "under a name of its own" "$jamroll" suggest band.mid --track bass --at 3.1 --take 1
ok "made of the file's" test -f band-suggest.mid

expect 2 "a bar of four has no fifth beat" "$jamroll" suggest "$seed" --at 3.5
has "says so" '3\.5: bar 3' err
for place in 0 x 3. 3.1.5 3.1.1.1 -1 4000; do
    expect 2 "no place: $place" "$jamroll" suggest "$seed" "--at=$place"
done
expect 2 "not for the kit" "$jamroll" suggest "$seed" --track drums
has "with a reason" 'drums' err
expect 2 "no such track" "$jamroll" suggest "$seed" --track kazoo
expect 2 "more than there are" "$jamroll" suggest "$seed" --track bass --at 3.1 -n 2 --take 3 -o no.mid
ok "and no file" test ! -e no.mid
expect 3 "no such file" "$jamroll" suggest nothing.mid
expect 6 "no such folder" "$jamroll" suggest "$seed" --at 3.1 -o no/folder/x.mid
cp "$jamroll" alone # models are also looked for beside the program
expect 4 "nobody there" env JAMROLL_MODELS=/nonexistent ./alone suggest "$seed"
expect 4 "the band cannot" env JAMROLL_MODELS="$root/models" "$jamroll" suggest "$seed" -m band

printf 'open %s\ntrack bass\nbar 3\nsuggest\nsuggest next\naccept\nmidi script.mid\n' "$work/band.mid" > script
ok "in a script" sh -c '"$1" batch < script' - "$jamroll"
"$jamroll" info --notes script.mid > scripted
is "the same notes" "$(cat after)" "$(cat scripted)"
printf 'open %s\nkeep bar\nsuggest\n' "$work/band.mid" > script
expect 7 "a kept bar, in a script" sh -c '"$1" batch < script' - "$jamroll"
finish
