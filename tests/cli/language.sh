#!/bin/bash
# The command language without a terminal: batch, the rc file, keys, completion, and the manual, whose
# every page has to know what the program knows and nothing else.
. "$(dirname "$0")/../lib/cli.sh"
seed=$root/assets/seeds/piano-ballad.mid
rc=$XDG_CONFIG_HOME/jamroll/rc

# script NAME CODE LINES: runs them from standard input; output as of `expect`.
script() {
    printf '%b' "$3" > script
    expect "$2" "$1" sh -c '"$1" batch < script' - "$jamroll"
}

# ---- batch ----
for s in "$root"/assets/seeds/*.mid; do
    rm -f ./*.mid
    script "transpose and back: $(basename "$s")" 0 \
        "open \"$s\"\nexport A.mid\ntranspose 5\nexport T.mid\nundo\nexport B.mid\n"
    is "undone to the byte" "$(cksum < A.mid)" "$(cksum < B.mid)"
    is "and there was something to undo" no "$(cmp -s A.mid T.mid && echo yes || echo no)"
done
script "the whole song moves" 0 "open $seed\nexport A.mid\ntranspose 5\nexport T.mid\n"
is "every note by five" "$(notes A.mid Piano | awk -F '\t' '{print $2, $4 + 5}' | sort)" \
    "$(notes T.mid Piano | awk -F '\t' '{print $2, $4}' | sort)"
script "what is selected moves alone" 0 "open $seed\ntrack piano\nbar 2\nselect\ntranspose 5\nexport S.mid\n"
is "bars 3 and 4 stay" "$(notes A.mid "$all_tracks" 3 4)" "$(notes S.mid "$all_tracks" 3 4)"
is "bar 2 moved" "$(notes T.mid Piano 2 2)" "$(notes S.mid Piano 2 2)"

for ext in npz npy png musicxml; do
    script "export .$ext" 0 "open $seed\nexport x.$ext\n"
    ok "convert to .$ext" "$jamroll" convert "$seed" --band -o "y.$ext"
    is "both write the same .$ext" "$(cksum < "y.$ext")" "$(cksum < "x.$ext")"
done
for ext in wav flac ogg opus; do
    script "export .$ext" 0 "open $seed\nexport x.$ext\n"
    has "says so" "wrote x.$ext: [0-9.]+ s" err
done
script "render as the command line does" 0 "open $seed\nrender how.wav s24 loop-exact normalize\n"
ok "the same by options" "$jamroll" render --quiet --format s24 --loop-exact --normalize -1 "$seed" -o asked.wav
is "byte for byte" "$(cksum < asked.wav)" "$(cksum < how.wav)"
script "a word that says nothing" 6 "open $seed\nrender x.wav loud\n"
has "is told what there is" 'loud: s16, s24' err
script "stems" 0 "open $seed\nstems .wav\nstems .mid\n"
has "are counted" 'wrote [1-9] stems' err
rm -f piano-ballad*
script "an ending picks the name" 0 "open $seed\nexport .mid\nexport .mid\n"
is "and overwrites nothing" "piano-ballad-2.mid piano-ballad.mid" "$(echo piano-ballad*.mid)"

script "comments, blank lines, no last newline" 0 "# a\r\n\n   # b\r\nseed 3"
script "an unknown command" 2 "seed 3\n\nfrobnicate\nexport never.mid\n"
has "names line and word" '^jamroll: stdin:3: .*frobnicate' err
is "and stops there" no "$([ -e never.mid ] && echo yes || echo no)"
script "too many arguments" 2 "open a b\n"
script "too few" 2 "seed\n"
script "an open quote" 2 "open \"a\n"
script "a value out of range" 2 "temperature 99\n"
script "no such file" 3 "open nowhere.mid\n"
script "no such kind" 2 "export x.frob\n"
script "nowhere to write" 6 "export nowhere/x.mid\n"
script "no sound" 5 "play\n"
script "nothing to do" 7 "take 1\n"
script "an unknown model" 4 "model frob\n"
script "quit ends it" 0 "quit\nfrobnicate\n"
script "help goes to standard output" 0 "help\n"
has "all of it" ':transpose' out
printf 'frobnicate\n' > named
expect 2 "a script by name" "$jamroll" batch named
has "and its name told" 'named:1:' err
expect 3 "no such script" "$jamroll" batch nowhere
printf 'seed 3\0\n' > binary
expect 3 "no text" "$jamroll" batch binary
ok "messages as JSON" "$jamroll" batch --json <(echo seed 3)
has "with their lines" '"line": 1' out

if "$jamroll" models list 2> /dev/null | grep -q band; then
    for i in 1 2; do
        script "the band plays ($i)" 0 "batch 2\nseed 3\nopen $seed\ntrack piano\nkeep\naccompany\ntake 2\nexport g$i.mid\n"
    done
    is "the same script, the same bytes" "$(cksum < g1.mid)" "$(cksum < g2.mid)"
    is "the piano was kept" "$(notes A.mid Piano)" "$(notes g1.mid Piano)"
    has "another track plays" . <(notes g1.mid Bass)
fi
script "everything kept" 7 "open $seed\nkeep all\naccompany\n"
cp "$jamroll" alone # models are also looked for beside the program
jamroll=$work/alone JAMROLL_MODELS=$work/none script "no model" 4 "model band\n"

# ---- rc ----
mkdir -p "$(dirname "$rc")"
printf 'set batch 5\nfrobnicate\nset seed 77\nbind j undo\n' > "$rc"
script "rc first, its errors told and passed" 0 "open $seed\nsave p.jam\n"
has "file and line of the first" "$rc:2: .*frobnicate" err
has "and of the second" "$rc:4: j is taken" err
has "settings outlive opening" '"seed": "77".*"batch": 5' p.jam
ok "without" "$jamroll" batch --no-rc script
has "as if there were none" '"batch": 8' p.jam
ok "other commands do not read it" "$jamroll" info "$seed"
is "and say nothing of it" "" "$(grep frobnicate err)"
rm "$rc"

# ---- keys ----
for format in text md man json; do
    ok "keys as $format" "$jamroll" keys --format $format
    cp out "keys.$format"
done
ok "JSON parses" python3 -m json.tool keys.json
actions=$(sed -n 's/^ *"name": "\(.*\)",*$/\1/p' keys.json)
has "there are many" '^[5-9][0-9]|^[0-9]{3}' <(wc -w <<< "$actions")
for action in $actions; do
    grep -Fq "  :$action" keys.text && grep -Fq "\`$action" keys.md || result "keys has $action" no "it is missing"
done

# No key twice in a mode or pane; what the JSON has, the page for people and the manual have too.
ok "keys agree" python3 - keys.json keys.text keys.man << 'END'
import json, sys
rows = json.load(open(sys.argv[1]))["actions"]
text, man = (open(name).read() for name in sys.argv[2:])
taken, columns = {}, set()
for row in rows:
    assert row["help"] and row["help"] in text, row["name"]
    for column, keys in row["keys"].items():
        columns.add(column)
        for key in keys.split("  "):
            assert ".." in key or (column, key) not in taken, (column, key, row["name"], taken[column, key])
            taken[column, key] = row["name"]
            assert key in text, (column, key)
            assert key.replace("\\", "\\e") in man.replace("\\&", "").replace("\\-", "-"), (column, key)
assert {"NORMAL", "STEP", "SELECT", "takes", "generate", "mixer", "waterfall"} <= columns, columns
END

# ---- completion ----
commands=$("$jamroll" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
options() { "$jamroll" help "$1" | sed -n 's/^ *\(-[a-z], \)*--\([a-z0-9-]*\).*/\2/p'; }
for shell in bash zsh fish; do
    ok "completion for $shell" "$jamroll" completion $shell
    cp out "completion.$shell"
    for command in $commands; do
        grep -q "$command" "completion.$shell" || result "$shell knows $command" no "it is missing"
        for option in $(options "$command"); do
            grep -Eq -- "(--|-l )$option\b" "completion.$shell" || result "$shell knows --$option" no "it is missing"
        done
    done
    ! command -v $shell > /dev/null || ok "$shell reads it" $shell -n "completion.$shell"
done
expect 2 "completion for no shell" "$jamroll" completion tcsh

# ---- the manual ----
for page in "$root"/man/*.in; do
    ok "weaving $(basename "$page")" "$root/man/weave.sh" "$jamroll" "$page"
    cp out "$(basename "$page" .in)"
    ! command -v mandoc > /dev/null || ok "lint of $(basename "$page")" mandoc -T lint -W warning "$(basename "$page" .in)"
done
cat jamroll.1 jamroll-train.1 jamroll-commands.5 | sed 's/\\-/-/g; s/\\&//g' > pages
families=$("$jamroll" models show --all | sed -n 's/^\([a-z]*\): .*/\1/p')
known=$(for command in $commands screen common $families; do options "$command"; done | sort -u)
for command in $commands; do
    has "the manual has $command" "^\.Ss $command$" pages
    # In the section of the command, or among what every command has.
    sed -n "/^\.Ss $command$/,/^\.S[sh] /p; /belong to every command/,/^\.El/p" pages > section
    for option in $(options "$command"); do
        grep -Eq -- "^\.It .*Fl -$option( |$)" section || result "manual of $command" no "--$option is missing"
    done
done
for action in $actions; do
    grep -Fqx ".It Ic $action" pages || grep -Fq ".It Ic $action Ar" pages || result "manual" no ":$action is missing"
done
# What the pages name has to be there: options, commands of the program, commands of the language.
for option in $(grep -oE 'Fl -[a-z0-9-]+|[ (]--[a-z][a-z0-9-]*' pages | sed 's/^Fl -//; s/^[ (]--//' | sort -u); do
    grep -Fqx -- "$option" <<< "$known" || result "manual" no "--$option is not there"
done
for command in $(sed -n 's/^\.Cm //p; s/^\.Ss \([a-z]*\)$/\1/p; s/^.*jamroll \([a-z][a-z]*\) .*/\1/p' pages |
    sed 's/ .*//' | sort -u); do
    grep -Fqxe "$command" <<< "$commands
$(tr ' ' '\n' <<< "$families")
is
and
completion" || result "manual" no "there is no command $command"
done
for action in $(sed -n 's/^\.It Ic /.Ic /; s/^\.Ic //p' pages | sed 's/ Ar .*//; s/[.,]//g'); do
    grep -Fqx -- "$action" <<< "$actions" || result "manual" no "there is no :$action"
done
finish
