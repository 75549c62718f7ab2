#!/bin/bash
# midi.sh: PortMidi through a real ALSA sequencer, on a machine without one. A stock Debian kernel with snd-seq and
# snd-seq-dummy is booted in QEMU around the program; what it plays to "Midi Through" is heard by midi_listen.
#
#     make check-midi        (Debian: qemu-system-x86 busybox-static cpio libasound2-dev)
#
# The kernel package is fetched once, into build/machine. The processor is emulated, which works everywhere: the
# distances then say as much about that as about the program. ACCEL=kvm on a machine that can.
set -eu
cd "$(dirname "$0")/../.."
program=${JAMROLL:-build/jamroll} listener=${LISTENER:-build/machine/midi_listen}
pianist=${PIANIST:-build/machine/midi_play}
work=build/machine root=build/machine/root
song=assets/seeds/rock-groove.mid

for tool in qemu-system-x86_64 busybox cpio dpkg-deb ldd; do
    command -v $tool > /dev/null || { echo "midi.sh: $tool is needed (see the top of $0)"; exit 1; }
done

kernel() { # a Debian kernel with sound: its package unpacked in $work/kernel
    [ -d $work/kernel/boot ] && return
    local name
    name=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
    (cd $work && apt-get -q download "$name") > $work/apt.log 2>&1 || { cat $work/apt.log; exit 1; }
    dpkg-deb -x $work/"$name"_*.deb $work/kernel
    rm -f $work/"$name"_*.deb
}

put() { install -D "$1" "$root/${2:-$1}"; }
put_program() { # with its libraries where the loader looks for them
    put "$1" "bin/$(basename "$1")"
    ldd "$1" | grep -o '/[^ )]*' | sort -u | while read -r library; do
        put "$(readlink -f "$library")" "$library"
    done
}

ramdisk() {
    local modules
    rm -rf $root
    mkdir -p $root/{proc,sys,dev,tmp,lib/modules}
    put "$(command -v busybox)" bin/busybox
    put_program "$program"
    put_program "$listener"
    put_program "$pianist"
    put $song song.mid
    mkdir -p $root/usr/share && cp -r /usr/share/alsa $root/usr/share/
    modules=$(find $work/kernel/lib/modules -maxdepth 1 -mindepth 1)
    for module in soundcore snd snd-timer snd-seq-device snd-seq snd-seq-dummy; do
        put "$(find "$modules" -name $module.ko)" lib/modules/$module.ko
    done
    put tests/machine/midi_guest.sh init
    (cd $root && find . | cpio -o -H newc --quiet | gzip -1) > $work/initrd
}

mkdir -p $work
kernel
ramdisk
timeout 300 qemu-system-x86_64 -accel "${ACCEL:-tcg,thread=multi}" -cpu max -smp 2 -m 512 -nographic -no-reboot \
    -kernel "$(find $work/kernel/boot -name 'vmlinuz-*')" -initrd $work/initrd \
    -append "console=ttyS0 quiet panic=-1" < /dev/null | tr -d '\r' | sed -n '/^== /,$p' | tee $work/log
grep -q '^== all done' $work/log || { echo "midi.sh: the machine did not get to the end"; exit 1; }
! grep -q '^BAD' $work/log && [ "$(grep -c '^good' $work/log)" -ge 7 ]
