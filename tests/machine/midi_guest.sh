#!/bin/busybox sh
# midi_guest.sh: what midi.sh's little machine does instead of an operating system.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in soundcore snd snd-timer snd-seq-device snd-seq snd-seq-dummy; do
    insmod /lib/modules/$module.ko
done
sleep 1

# scene NAME whole|part SECONDS SIGNAL: play, perhaps end it early with a signal, and hear the listener's verdict
scene() {
    echo "== $1"
    midi_listen /song.mid "$2" &
    listener=$!
    sleep 1
    # shellcheck disable=SC2086 # none or one word
    jamroll play --quiet --audio none --midi-out "Midi Through" $options /song.mid &
    player=$!
    if [ "$2" = part ]; then
        sleep "$3"
        before=$(cut -d' ' -f1 /proc/uptime)
        kill -"$4" $player
        wait $player
        echo "gone with $?, from $before to $(cut -d' ' -f1 /proc/uptime) seconds"
    else
        wait $player
    fi
    wait $listener
}

options=
echo "== ports"
jamroll devices
scene "a whole song" whole
options=--clock
scene "with MIDI clock" whole
options=
scene "stopped by SIGINT" part 3 INT
scene "stopped by SIGTERM" part 4 TERM
scene "stopped by SIGHUP" part 2 HUP
echo "== played on"
midi_play 100 100
echo "== a whole song while both processors are busy"
(while :; do :; done) & one=$!
(while :; do :; done) & two=$!
scene "beside load" whole
kill $one $two
echo "== all done"
poweroff -f
