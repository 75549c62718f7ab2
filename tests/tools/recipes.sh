#!/bin/bash
# The full-size networks as they are trained on a GPU, one command each; STEPS updates (default: all of them) on the
# phrases of DATA, or on some that the band writes first. Prints each command. Usage: recipes.sh [NAME...]
set -eu
cd "$(dirname "$0")/../.."
jamroll=${JAMROLL:-build/jamroll}
steps=${STEPS:-}
out=${OUT:-$(mktemp -d)}
device=(--device "${DEVICE:-cuda}" --precision "${PRECISION:-tf32}")
data=${DATA:-}

if [ -z "$data" ]; then
    for seed in {1..16}; do # two genres in name
        genre=$([ "$seed" -le 8 ] && echo jazz || echo rock)
        mkdir -p "$out/midi/$genre"
        "$jamroll" generate --quiet --bars 16 --seed "$seed" -o "$out/midi/$genre/song$seed.mid"
    done
    "$jamroll" dataset build --phrases --held-out 0.3 "$out/midi" -o "$out/phrases.bin"
    "$jamroll" dataset build "$out/midi" -o "$out/songs.bin"
fi

recipe() { # NAME FAMILY DATA FULL_STEPS OPTION...
    local name=$1 family=$2 set=$3 full=$4
    shift 4
    local command=("$jamroll" train "$family" --data "${data:-$set}" -o "$out/$name" --steps "${steps:-$full}" "${device[@]}" "$@")
    [ -z "${wanted:-}" ] || [[ " $wanted " == *" $name "* ]] || return 0
    echo "+ ${command[*]}"
    "${command[@]}"
}

wanted=$*
recipe musegan musegan "$out/songs.bin" 50000 --config musegan --set micro=64
recipe musegan-accompany musegan "$out/songs.bin" 50000 --config musegan-accompany --set micro=64
recipe cyclegan cyclegan "$out/phrases.bin" 40000 --config cyclegan-base --set pair=jazz-rock
recipe band band "$out/songs.bin" 100000
