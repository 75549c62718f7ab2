#!/bin/bash
# audio.sh: live sound without a sound card. A PulseAudio server of its own with a null sink plays a song of ours;
# what the sink heard is compared with the offline render of the same song.
#
#     make check-audio       (Debian: pulseaudio pulseaudio-utils)
set -eu
cd "$(dirname "$0")/../.."
program=${JAMROLL:-build/jamroll} compare=${COMPARE:-build/machine/audio_compare}
work=$(mktemp -d)
server=
recorder=
trap 'kill $recorder $server 2> /dev/null || true; wait; rm -rf "$work"' EXIT
for tool in pulseaudio parec; do
    command -v $tool > /dev/null || { echo "audio.sh: $tool is needed"; exit 1; }
done

export XDG_RUNTIME_DIR=$work PULSE_RUNTIME_PATH=$work/pulse PULSE_STATE_PATH=$work HOME=$work
export PULSE_SERVER=unix:$work/socket
pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disallow-exit \
    -L "module-null-sink sink_name=ear rate=44100" -L "module-native-protocol-unix socket=$work/socket auth-anonymous=1" \
    > "$work/server.log" 2>&1 &
server=$!
until pactl info > /dev/null 2>&1; do
    kill -0 $server 2> /dev/null || { cat "$work/server.log"; exit 1; }
    sleep 0.1
done

failed=0
for song in assets/seeds/piano-ballad.mid assets/seeds/rock-groove.mid; do
    echo "== $song"
    parec -d ear.monitor --rate=44100 --channels=2 --format=float32le --file-format=wav "$work/heard.wav" &
    recorder=$!
    "$program" play --quiet --audio pulseaudio --soundfont builtin "$song"
    sleep 2
    kill $recorder
    wait $recorder 2> /dev/null || true
    recorder=
    "$program" render --quiet --soundfont builtin --format float --rate 44100 --tail 0 "$song" -o "$work/written.wav"
    "$compare" "$work/heard.wav" "$work/written.wav" || failed=1
done
exit $failed
