#!/bin/bash
# What jamroll writes, read by other programs: midicsv, abcmidi, FluidSynth, mido, numpy, music21 and MuseScore; note
# by note where they can say what they read. Each is asked if it is there; what is missing is said. On Debian:
#   apt-get install midicsv abcmidi fluidsynth musescore3 timgm6mb-soundfont; pip install mido numpy music21
# PYTHON names the interpreter that has those modules.
. "$(dirname "$0")/../lib/cli.sh"
here=$root/tests/interop
python=${PYTHON:-python3}
export QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work
skipped=
has_program() { command -v "$1" > /dev/null || { skipped+=" $1"; return 1; }; }
has_module() { "$python" -c "import $1" 2> /dev/null || { skipped+=" $1"; return 1; }; }
compare() { "$python" "$here/compare.py" "$@"; }

cp "$root"/assets/seeds/*.mid .
if has_module mido; then
    "$python" "$here/songs.py" . || result "songs to compare" no "songs.py failed"
fi
for song in *.mid; do
    name=${song%.mid}
    mkdir "$name"
    "$jamroll" info --notes "$song" > "$name/notes.tsv"
    ok "$name: format 1" "$jamroll" convert -q "$song" -o "$name/one.mid"
    ok "$name: format 0" "$jamroll" convert -q --format 0 "$song" -o "$name/zero.mid"
    ok "$name: stems" "$jamroll" convert -q --stems "$song" -o "$name/stem.mid"
    ok "$name: score" "$jamroll" convert -q "$song" -o "$name/score.musicxml"
    ok "$name: npz" "$jamroll" convert -q "$song" -o "$name/roll.npz"
    ok "$name: npy" "$jamroll" convert -q "$song" -o "$name/roll.npy"
    printf 'open %s\nsave %s/song.jam\nexport %s/project.mid\n' "$song" "$name" "$name" > script
    ok "$name: a project and what it exports" "$jamroll" batch -q --no-rc script
    ok "$name: the same notes" diff <(cut -f 2- "$name/notes.tsv" | sort) \
        <("$jamroll" info --notes "$name/project.mid" | cut -f 2- | sort)
done

# Every note-on has its end, and reading the text back gives the file.
if has_program midicsv; then
    for file in */*.mid; do
        ok "midicsv $file" midicsv -v "$file" "$file.csv"
        is "$file: ends" "$(grep -c 'Note_on_c' "$file.csv")" "$(grep -c 'Note_off_c' "$file.csv")"
        ok "csvmidi $file" csvmidi "$file.csv" "$file.back"
        ok "$file: the same notes again" cmp <("$jamroll" info --notes "$file") <("$jamroll" info --notes "$file.back")
    done
fi
if has_program midi2abc; then
    for file in */*.mid; do
        ok "midi2abc $file" midi2abc "$file" -o "$file.abc"
        has "$file: a tune" '^K:' "$file.abc"
        is "$file: no complaint" "" "$(grep -i 'error' out err)"
    done
fi
font=/usr/share/sounds/sf2/TimGM6mb.sf2
if has_program fluidsynth && [ -e "$font" ]; then
    for file in */one.mid */zero.mid; do
        ok "fluidsynth $file" fluidsynth -ni -q -F "$file.wav" -r 22050 "$font" "$file"
        is "$file: no complaint" "" "$(grep -i 'error\|warning' out err)"
        ok "$file: sound" test "$(od -An -tx1 -v "$file.wav" | tr -d ' \n' | tr -d 0 | wc -c)" -gt 100000
        rm -f "$file.wav"
    done
fi
if has_module mido; then
    for file in */one.mid; do
        ok "mido $file" compare midi "${file%/*}/notes.tsv" "$file"
    done
fi
if has_module numpy; then
    for file in */roll.npz; do
        ok "numpy $file" compare npz "${file%/*}/notes.tsv" "$file"
        ok "numpy ${file%z}y" "$python" -c "import numpy; a = numpy.load('${file%z}y'); assert a.shape[0] == 5 and a.any()"
    done
fi
if has_module music21; then
    for file in */score.musicxml; do
        ok "music21 $file" compare score "${file%/*}/notes.tsv" "$file"
    done
fi
musescore=$(command -v mscore3 || command -v musescore3 || command -v mscore)
if [ -n "$musescore" ]; then
    for file in */score.musicxml; do
        part=${file%/*}
        ok "MuseScore reads $file" "$musescore" -o "$part/played.mid" "$file"
        has_module mido && ok "and would play the same notes" compare played "$part/notes.tsv" "$part/played.mid"
        ok "MuseScore writes $file" "$musescore" -o "$part/again.musicxml" "$file"
        has_module music21 && ok "and wrote the same score" compare score "$part/notes.tsv" "$part/again.musicxml"
        ok "MuseScore keeps $file" "$musescore" -o "$part/kept.mscx" "$file"
        is "$file: one instrument a part" 0 "$(grep -c '<InstrumentChange>' "$part/kept.mscx")"
        ok "MuseScore opens $part/one.mid" "$musescore" -o "$part/opened.musicxml" "$part/one.mid"
    done
else
    skipped+=" musescore"
fi
[ -z "$skipped" ] || echo "interop.sh: not there, so not asked:$(tr ' ' '\n' <<< "$skipped" | sort -u | tr '\n' ' ')"
finish
