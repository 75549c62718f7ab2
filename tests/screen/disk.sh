#!/bin/bash
# Where nothing can be written: a full disk, a file that may not grow, a folder without permission, a place that is
# no file. What was there stays whole, nothing is left half, and a sentence says why.
. "$(dirname "$0")/../lib/screen.sh"
seed=$root/assets/seeds/rock-groove.mid
"$jamroll" convert "$seed" -o old.mid 2> err
printf 'open old.mid\nsave old.jam\n' | "$jamroll" batch -q
cp old.mid keep.mid
cp old.jam keep.jam
mkdir full closed

# whole FOLDER: the files in it are the old ones, and there are no others.
whole() {
    is "$1: only what was there" "old.jam old.mid" "$(cd "$1" && echo *)"
    ok "$1: the MIDI file is the old one" cmp "$1/old.mid" keep.mid
    ok "$1: the project is the old one" cmp "$1/old.jam" keep.jam
}
# writes FOLDER WHY COMMAND...: every kind of file fails with exit code 6; the command runs the program.
writes() {
    local folder=$1 why=$2 kind
    shift 2
    for kind in mid npz npy png musicxml; do
        expect 6 "$folder: convert to $kind" "$@" convert keep.mid -o "$folder/old.$kind"
        has "$folder: why $kind fails" "old\.$kind: $why" err
    done
    for kind in wav flac ogg; do
        expect 6 "$folder: render $kind" "$@" render keep.mid -o "$folder/old.$kind"
    done
    printf 'open keep.mid\ntranspose 2\nsave %s/old.jam\n' "$folder" > script
    expect 6 "$folder: save" "$@" batch --no-rc script
    has "$folder: why saving fails" "old\.jam: $why" err
    rm -f "$folder"/old.{npz,npy,png,musicxml,wav,flac,ogg}
    whole "$folder"
}

# a file that may not grow over 512 bytes
mkdir limited
cp old.mid old.jam limited
limited() { (ulimit -f 1 && exec "$jamroll" "$@"); }
expect 6 "a file that may not grow" limited convert keep.mid -o limited/old.mid
has "says so" 'old\.mid: File too large' err
expect 6 "nor sound" limited render keep.mid -o limited/old.wav
whole limited

# a folder of others
cp old.mid old.jam closed
chmod 555 closed
as_nobody() { "$jamroll" "$@"; }
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$work" # the folder is closed, not the way to it
    as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$jamroll" "$@"; }
    setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$jamroll" || as_nobody=
fi
if [ "${as_nobody-yes}" = yes ]; then
    writes closed 'Permission denied' as_nobody
else
    echo "disk.sh: the program cannot be run as another user here: a closed folder is not tried"
fi
chmod 755 closed

# a full disk, where a small one can be made
if mount -t tmpfs -o size=16k tmpfs full 2> err; then
    trap 'terminal_close; umount "$work/full"; rm -rf "$work"' EXIT
    cp old.mid old.jam full
    dd if=/dev/zero of=full/rest bs=1k > /dev/null 2>&1
    printf 'open keep.mid\ntranspose 2\nsave full/old.jam\n' > script
    expect 6 "a full disk" "$jamroll" convert keep.mid -o full/old.mid
    has "says so" 'old\.mid: No space left' err
    expect 6 "nor sound" "$jamroll" render keep.mid -o full/old.wav
    expect 6 "nor a project" "$jamroll" batch --no-rc script
    rm full/rest
    whole full
    dd if=/dev/zero of=full/rest bs=1k > /dev/null 2>&1
    export XDG_STATE_HOME=$work/full/state
    terminal 80 24
    type_line "'$jamroll' --audio none old.jam; echo left \$?"
    see "it opens without a place for a journal" 'old\.jam'
    keys Enter
    see "and says that edits are not safe" 'no journal, so save often: No space left'
    keys C-s
    see "saving elsewhere than the full disk is all right" 'saved old\.jam'
    leave
else
    echo "disk.sh: no small disk can be made here: a full one is not tried"
fi

expect 6 "a device that is full" "$jamroll" convert keep.mid --to mid -o /dev/full
has "says so" 'No space left' err
expect 6 "a folder in the place of a file" "$jamroll" convert keep.mid --to mid -o full
expect 6 "no such folder" "$jamroll" convert keep.mid -o nowhere/x.mid
finish
