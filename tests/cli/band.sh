#!/bin/bash
# The band answers: as many takes as asked, each with every track, none like another, kept notes untouched,
# and the same bytes from the same seed.
. "$(dirname "$0")/../lib/cli.sh"
seeds=("$root"/assets/seeds/*.mid)
seed=${seeds[0]}

ok "a phrase from nothing, without a word" "$jamroll" generate
is "one file" 1 "$(find . -maxdepth 1 -name 'jamroll-*.mid' | wc -l)"

# takes FOLDER N: each has all five tracks, and no two are equal.
check_takes() {
    is "$1: files" "$2" "$(find "$1" -name 'take-*.mid' | wc -l)"
    local take
    for take in "$1"/take-*.mid; do
        is "$take: every track plays" 5 "$("$jamroll" info --notes "$take" | awk -F '\t' 'NR > 1 { print $1 }' | sort -u | wc -l)"
        "$jamroll" info --notes "$take" | sha256sum
    done > "$work/sums"
    grep FAILED "$work/sums"
    is "$1: no two equal" "$2" "$(grep -v FAILED "$work/sums" | sort -u | wc -l)"
}

ok "eight takes" "$jamroll" generate --n 8 --seed 42 -o eight
check_takes eight 8
ok "eight takes again" "$jamroll" generate --n 8 --seed 42 -o again
ok "the same bytes" diff -r eight again
ok "one of them alone" "$jamroll" generate --n 1 --seed 44 -o third.mid
ok "is the same as in company" cmp third.mid eight/take-3.mid
ok "its file says how it was made" "$jamroll" info third.mid
has "seed" 'made by: jamroll.* model=.* hash=[0-9a-f]{16} seed=44 ' out
has "parameters" 'genre=' out

# kept SEED-FILE --keep WORD TRACKS-REGEX [FROM TO]
check_kept() {
    local keep=$2 dir="kept-${2//[:,]/_}"
    ok "keep $keep" "$jamroll" accompany "$1" --keep "$keep" --seed 42 --n 8 -o "$dir"
    check_takes "$dir" 8
    notes "$1" "$3" "${4:-1}" "${5:-100000}" > before
    ok "keep $keep: there is something to keep" test -s before
    local take
    for take in "$dir"/take-*.mid; do
        is "$take: kept notes" "$(cat before)" "$(notes "$take" "$3" "${4:-1}" "${5:-100000}")"
    done
    ok "keep $keep again" "$jamroll" accompany "$1" --keep "$keep" --seed 42 --n 8 -o "$dir-again"
    ok "keep $keep: the same bytes" diff -r "$dir" "$dir-again"
}

for file in "${seeds[@]}"; do
    # What the seed has is what can be kept.
    first=$("$jamroll" convert --band "$file" --to mid -o - | "$jamroll" info --notes - | awk -F '\t' 'NR == 2 { print $1 }')
    track=$(echo "$first" | tr '[:upper:]' '[:lower:]')
    "$jamroll" convert --band "$file" -o band.mid
    check_kept band.mid "$track" "$first"
done
check_kept band.mid "$track:1-2" "$first" 1 2
ok "nothing kept" "$jamroll" accompany "$seed" --keep none --seed 42 --n 8 -o none
check_takes none 8
ok "drums and bass to keep" "$jamroll" generate --seed 7 -o whole.mid
# A tune, the name of the track to follow, a genre: the band, all together and each alone.
ok "a track by name" "$jamroll" accompany whole.mid --follow bass --genre rock --seed 3 --stems -o follow.mid
is "it stays" "$(notes whole.mid Bass)" "$(notes follow.mid Bass)"
result "the others are new" "$([ "$(notes whole.mid Drums)" != "$(notes follow.mid Drums)" ] && echo yes)" "the same drums"
is "each alone too" 5 "$(find . -name 'follow-[1-5]-*.mid' | wc -l)"
is "as together" "$(notes follow.mid Drums)" "$(notes follow-1-Drums.mid Drums)"
ok "by number" "$jamroll" accompany whole.mid --follow 4 --genre rock --seed 3 -o number.mid
ok "is the same" cmp follow.mid number.mid
expect 3 "no such track" "$jamroll" accompany whole.mid --follow kazoo
has "but these" 'there are: 1 Drums, 2 Piano, 3 Guitar, 4 Bass, 5 Strings' err
expect 2 "one or the other" "$jamroll" accompany whole.mid --follow bass --keep drums
expect 2 "one place for several files" "$jamroll" generate --stems -o -
check_kept whole.mid drums,bass 'Drums|Bass'
check_kept whole.mid 1-2 "$all_tracks" 1 2
expect 7 "all kept: nothing to play" "$jamroll" accompany whole.mid --keep all -o x.mid

ok "infill" "$jamroll" infill whole.mid --tracks drums --bars 3-4 --seed 5 -o filled.mid
is "other tracks stay" "$(notes whole.mid 'Piano|Guitar|Bass|Strings')" "$(notes filled.mid 'Piano|Guitar|Bass|Strings')"
is "other bars stay" "$(notes whole.mid Drums 1 2)" "$(notes filled.mid Drums 1 2)"
result "the drums change" "$([ "$(notes whole.mid Drums 3 4)" != "$(notes filled.mid Drums 3 4)" ] && echo yes)" "they did not"

# Variations near and far, and the way from one take to another.
ok "vary" "$jamroll" vary whole.mid --distance 0.2 --seed 5 --n 2 -o near
ok "again" "$jamroll" vary whole.mid --distance 0.2 --seed 5 --n 2 -o near-again
ok "the same bytes" diff -r near near-again
ok "far" "$jamroll" vary whole.mid --distance 0.9 --seed 5 --n 2 -o far
common() { comm -12 <(notes "$1" "$all_tracks" | sort) <(notes "$2" "$all_tracks" | sort) | wc -l; }
result "near shares more than far" "$([ "$(common whole.mid near/take-1.mid)" -gt "$(common whole.mid far/take-1.mid)" ] && echo yes)" no
result "near is not the same" "$([ "$(notes whole.mid "$all_tracks")" != "$(notes near/take-1.mid "$all_tracks")" ] && echo yes)" no
ok "vary the bass" "$jamroll" vary whole.mid --tracks bass --bars 2-3 --distance 1 --seed 5 -o bass.mid
is "other tracks stay" "$(notes whole.mid 'Drums|Piano|Guitar|Strings')" "$(notes bass.mid 'Drums|Piano|Guitar|Strings')"
is "other bars stay" "$(notes whole.mid Bass 4 4)" "$(notes bass.mid Bass 4 4)"
ok "interpolate" "$jamroll" interpolate eight/take-1.mid eight/take-2.mid --seed 3 --json -o way
is "five steps" 5 "$(grep -c '"file": "way/take-' out)"
has "say where they are" 'mix=0\.25' out
is "the first is A" "$(notes eight/take-1.mid "$all_tracks")" "$(notes way/take-1.mid "$all_tracks")"
is "the last is B" "$(notes eight/take-2.mid "$all_tracks")" "$(notes way/take-5.mid "$all_tracks")"
result "the middle is neither" "$([ "$(common way/take-3.mid eight/take-1.mid)" -gt 0 ] && [ "$(common way/take-3.mid eight/take-2.mid)" -gt 0 ] && echo yes)" no
ok "interpolate again" "$jamroll" interpolate eight/take-1.mid eight/take-2.mid --seed 3 -o way-again
ok "the same bytes" diff -r way way-again
ok "a range" "$jamroll" generate --range piano=C4:C5,bass=E1:E2 --seed 9 -o ranged.mid
is "no note outside" "" "$(notes ranged.mid 'Piano|Bass' | awk -F '\t' '($1 == "Piano" && ($4 < 60 || $4 > 72)) || ($1 == "Bass" && ($4 < 28 || $4 > 40))')"
expect 2 "no range" "$jamroll" generate --range piano=C4 -o x.mid
expect 2 "one step is no way" "$jamroll" interpolate eight/take-1.mid eight/take-2.mid --steps 1

"$jamroll" models list --json > models.json
genres=$(tr -d '\n' < models.json | grep -o '"genres": *\[[^]]*[a-z][^]]*\]' | head -1 | sed 's/.*\[\([^]]*\)\].*/\1/' | tr -d '" ' | tr ',' ' ')
ok "the model lists genres" test -n "$genres"
for genre in any $genres; do
    ok "genre $genre" "$jamroll" accompany "$seed" --genre "$genre" --seed 42 --n 2 -o "genre-$genre"
    check_takes "genre-$genre" 2
done
expect 2 "no such genre" "$jamroll" generate --genre kazoo -o x.mid
has "the genres are listed" 'any|rock|jazz|,' err

"$jamroll" generate --seed 44 -o - > piped.mid 2> err
ok "to standard output" cmp piped.mid third.mid
"$jamroll" accompany - --keep drums,bass --seed 42 -o - < whole.mid 2> err | cmp -s - kept-drums_bass/take-1.mid
is "through pipes" 0 $?
expect 2 "several takes do not fit a pipe" "$jamroll" generate --n 2 -o -
ok "numbered files" "$jamroll" generate --n 2 --seed 42 -o "my song.mid"
ok "the second" cmp "my song-2.mid" eight/take-2.mid
expect 6 "cannot write" "$jamroll" generate -o /proc/nowhere/x.mid
expect 4 "no such model" "$jamroll" generate -m nowhere -o x.mid
expect 3 "no such input" "$jamroll" accompany nowhere.mid -o x.mid
ok "quiet" "$jamroll" generate --quiet --seed 1 -o q.mid
is "says nothing" "" "$(cat out err)"
ok "JSON" "$jamroll" generate --json --n 2 --seed 42 -o j
is "names both files" 2 "$(grep -c '"file": "j/take-' out)"

ok "bars and tempo" "$jamroll" generate --bars 8 --tempo 90 --seed 3 -o long.mid
ok "info" "$jamroll" info --json long.mid
has "eight bars" '"bars": 8' out
has "90 bpm" '"tempo": 90\.0,' out
ok "silent tracks" "$jamroll" generate --silent drums,strings --seed 3 -o trio.mid
is "are silent" "" "$(notes trio.mid 'Drums|Strings')"
expect 130 "interrupted" timeout -s INT --preserve-status 1 "$jamroll" generate --n 256 --bars 256 -o many
finish
