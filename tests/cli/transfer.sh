#!/bin/bash
# Genre transfer from the command line, with small pairs and a small judge that learnt next to nothing: what is asked
# for is found, what may not change does not, and what was done is told.
. "$(dirname "$0")/../lib/cli.sh"
. "$root/tests/lib/pairs.sh"
in=midi/pop/band.mid

cp "$jamroll" alone # models are also looked for beside the program
ok "without a judge" env JAMROLL_MODELS="$work/weights" ./alone transfer $in --to jazz --from pop -o plain.mid
has "says so" 'to jazz, best first by what is kept: no judge' out
has "and ranks" '^ +1 +[0-9]+ % +[0-9]+ % +- +- +- +plain.mid' out
cp judge.safetensors weights
ok "takes with a judge, and the way back" "$jamroll" transfer $in --to jazz --from pop --takes 3 --cycle -o three.mid
has "from what was said" '^pop to jazz, best first$' out
is "a row a take" 3 "$(grep -Ec '^ +[123] +[0-9]+ % +[0-9]+ % +[0-9]+ % +[0-9]+ % +[0-9]+ % +three-[123].mid' out)"
is "takes and ways back" 6 "$(find . -name 'three-*.mid' | wc -l)"
ok "JSON" "$jamroll" transfer $in --to jazz --from pop --takes 3 --cycle -o three.mid --json
for key in kept new after back back_file; do
    is "of three takes: $key" 3 "$(grep -c "\"$key\": [\"0-9]" out)"
done
has "what it was" '^  "before": 0\.[0-9]+,' out
is "a ranking" '1 2 3' "$(sed -n '/"ranking"/,/]/p' out | grep -o '[123]' | sort | xargs)"
ok "the same again" "$jamroll" transfer $in --to jazz --from pop -o again.mid
ok "is the same" cmp again.mid three-1.mid
has "and says how" 'made by.*model=jazz-pop.*genre=jazz strength=1.00 heard=\+0,0' <("$jamroll" info again.mid)
ok "the judge says what it is" "$jamroll" transfer $in --to jazz -o guessed.mid
has "pop or classical" '^(pop|classical) to jazz' out
ok "back" "$jamroll" transfer again.mid --to pop -o pop.mid
has "by whichever way leads there" '^(jazz|classical) to pop' out

# sum FILE TRACKS [FROM TO]: of their notes.
sum() { notes "$@" | cksum; }
# unchanged FILE TRACKS [FROM TO]: they are those of the source.
unchanged() { is "$1: $2 as it was" "$(sum $in "${@:2}")" "$(sum "$@")"; }
unchanged plain.mid Drums
result "the others are not" "$([ "$(sum $in "$all_tracks")" != "$(sum plain.mid "$all_tracks")" ] && echo yes)" "all the same"
ok "nothing at strength 0" "$jamroll" transfer $in --to jazz --strength 0 -o zero.mid
unchanged zero.mid "$all_tracks"
ok "kept" "$jamroll" transfer $in --to jazz --keep bass,piano:3-4 -o kept.mid
unchanged kept.mid Bass
unchanged kept.mid Piano 3 4
ok "two bars" "$jamroll" transfer $in --to jazz --bars 5-6 -o bars.mid
unchanged bars.mid "$all_tracks" 1 4
unchanged bars.mid "$all_tracks" 7 8
ok "the melody locked" "$jamroll" transfer "$seeds/guitar-riff.mid" --to pop --lock melody -o locked.mid
has "says so" 'melody=locked' <("$jamroll" info locked.mid)
ok "in its key" "$jamroll" transfer $in --to jazz --strict -o strict.mid
ok "drums anew" "$jamroll" transfer $in --to jazz --from pop --drums remake -o drums.mid
result "they are others" "$([ "$(sum $in Drums)" != "$(sum drums.mid Drums)" ] && echo yes)" "the same drums"
is "the rest is not" "$(sum plain.mid 'Piano|Guitar|Bass|Strings')" "$(sum drums.mid 'Piano|Guitar|Bass|Strings')"
has "says so" 'drums=(anew|jazz) kept=[0-9]+% judged=[0-9]+-[0-9]+%' <("$jamroll" info drums.mid)
ok "but for two bars" "$jamroll" transfer $in --to jazz --from pop --drums remake --keep drums:1-2 -o two.mid
unchanged two.mid Drums 1 2
result "the others are" "$([ "$(sum $in Drums 3 8)" != "$(sum two.mid Drums 3 8)" ] && echo yes)" "the same drums"
ok "to standard output" sh -c "'$jamroll' transfer - --to jazz --from pop -o - < $in > piped.mid"
is "the same notes" "$(sum plain.mid "$all_tracks")" "$(sum piped.mid "$all_tracks")"

ok "from a script" sh -c "printf 'open $in\nbatch 2\ntransfer jazz 0.5 lock\ntake 2\nexport script.mid\n' | '$jamroll' batch"
has "says how" 'genre=jazz strength=0.50 melody=locked heard=\+1' <("$jamroll" info script.mid)
expect 2 "to what?" "$jamroll" transfer $in
expect 2 "how far?" "$jamroll" transfer $in --to jazz --strength 2
expect 2 "two files to one place" "$jamroll" transfer $in --to jazz --cycle -o -
expect 4 "nobody knows that" "$jamroll" transfer $in --to polka
has "but these" 'there are: jazz and classical, jazz and pop' err
expect 4 "nor the way from there" "$jamroll" transfer $in --to pop --from polka
expect 4 "the band cannot" "$jamroll" transfer $in --to jazz -m band
expect 4 "these weights go elsewhere" "$jamroll" transfer $in --to pop -m jazz-classical
expect 7 "nothing may change" "$jamroll" transfer $in --to jazz --keep all
"$jamroll" convert $in --metre 3/4 -o waltz.mid > out 2> err
expect 3 "no waltz" "$jamroll" transfer waltz.mid --to jazz -o x.mid
has "and why" 'no bar here is a whole bar of 4/4' err
finish
