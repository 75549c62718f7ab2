#!/bin/bash
# The import page: it comes when a file leaves something open and not otherwise; roles, bars and metre are chosen on
# it; Esc leaves all as it was; scripts are never asked.
. "$(dirname "$0")/../lib/screen.sh"
# Two tracks for one role, a waltz that names no metre: notes as bytes, a bar of three quarters in each track.
track() { # PROGRAM CHANNEL PITCH: 24 bars of a long first beat and two short ones
    local body wait='\x00'
    body=$(printf '\\x00\\xc%x\\x%02x' "$2" "$1")
    note() { body+=$(printf '\\x9%x\\x%02x\\x%02x%s\\x8%x\\x%02x\\x00' "$1" "$2" "$3" "$4" "$1" "$2"); }
    for _ in {1..24}; do
        body+=$wait && note "$2" "$3" 112 '\x83\x48'
        body+='\x18' && note "$2" $(($3 + 25)) 48 '\x60'
        body+='\x83\x00' && note "$2" $(($3 + 26)) 48 '\x60'
        wait='\x83\x00'
    done
    body+='\x00\xff\x2f\x00'
    local n=$((${#body} / 4))
    printf '%b' "MTrk$(printf '\\x00\\x00\\x%02x\\x%02x' $((n >> 8)) $((n & 255)))$body"
}
{
    printf 'MThd\0\0\0\6\0\1\0\3\1\340'
    track 41 0 40
    track 73 1 43
    track 0 2 38
} > waltz.mid
"$jamroll" info waltz.mid > before
has "the accents are heard" 'accents sound like 3/4' before
cp "$root"/assets/seeds/rock-groove.mid plain.mid

terminal 80 24
type_line "'$jamroll' --audio none waltz.mid; echo left \$?"
see "a page asks" 'import waltz\.mid'
see "with the proposal" '1 .*Viola .*< Strings +>'
see "why" 'Strings: tracks 1 and 2 become one'
keys Escape
see "nothing came in" 'nothing was imported; :import asks again'
see "an empty band" 'untitled'
type_line ":import"
see "it asks again" 'import waltz\.mid'
keys 3
see "a digit is a role" '1 .*< Guitar +>'
keys j 0
see "none is left out" '2 .*< left out +>'
keys Left
see "the arrows go round" '2 .*< Strings +>'
keys j j j
keys -l h
see "fewer bars" 'to bar +< 17 of 18 >'
keys -l l
keys j j
keys Right Right
see "another metre" 'metre +< 3/4 throughout >'
see "and its bars" 'to bar +24 of 24'
keys Enter
see "it is in" 'waltz\.mid: 24 bars'
see "in three" '120\.0 3/4'
type_line ":midi out.mid"
see "written" 'wrote out\.mid'
type_line ":open plain.mid"
see "a plain file asks nothing" 'plain\.mid: 8 bars'
keys Enter
see "edited" 'unsaved'
type_line ":open waltz.mid"
see "what is not saved stays" 'plain\.mid is not saved'
leave
is "every note, on its role" \
    "$("$jamroll" info --notes waltz.mid | awk -F '\t' 'NR > 1 { print $2, $3, $4, $5 }' | sort)" \
    "$("$jamroll" info --notes out.mid | awk -F '\t' '$1 ~ /Guitar|Strings|Piano/ { print $2, $3, $4, $5 }' | sort)"
is "roles" "Guitar Piano Strings" \
    "$("$jamroll" info --notes out.mid | awk -F '\t' 'NR > 1 { print $1 }' | sort -u | tr '\n' ' ' | sed 's/ $//')"

printf 'open waltz.mid\nmidi b.mid\nimport 1=guitar,3=drop 5-8\nmidi c.mid\n' > script
ok "a script is not asked" "$jamroll" batch script
is "and takes the proposal" "Piano Strings" \
    "$("$jamroll" info --notes b.mid | awk -F '\t' 'NR > 1 { print $1 }' | sort -u | tr '\n' ' ' | sed 's/ $//')"
is "or says what it wants" "Guitar Strings" \
    "$("$jamroll" info --notes c.mid | awk -F '\t' 'NR > 1 { print $1 }' | sort -u | tr '\n' ' ' | sed 's/ $//')"
ok "so does convert" "$jamroll" convert waltz.mid --map 1=guitar,3=drop --bars 5-8 -o d.mid
is "alike" "$("$jamroll" info --notes c.mid)" "$("$jamroll" info --notes d.mid)"
finish
