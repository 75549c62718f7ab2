#!/bin/bash
# Where networks run: without a GPU the reason and exit code 5; on the simulated device a run that moves from the CPU
# to it and back, memory that is full, a driver that is old, a failure in the middle.
. "$(dirname "$0")/../lib/cli.sh"

simulated=$(dirname "$jamroll")/jamroll-cuda-sim.so
small=width=16,layers=1,heads=2,mlp=16,rows=128
train=("$jamroll" train band --data set.bin --set $small --no-samples --log-every 1)

expect 5 "a device that nobody knows" "$jamroll" generate --device abacus -o x.mid
has "which there are" 'cpu, cuda or auto' err
expect 5 "a module that is not there" env JAMROLL_CUDA="$work/none.so" "$jamroll" generate --device cuda -o x.mid
has "which one" 'none.so' err
echo "no module" > broken.so
expect 5 "a module that is none" env JAMROLL_CUDA="$work/broken.so" "$jamroll" generate --device cuda -o x.mid
has "what the loader says" 'cannot be loaded' err
expect 0 "auto makes do with the CPU" env JAMROLL_CUDA="$work/broken.so" "$jamroll" generate --bars 4 --seed 1 -o auto.mid
is "and says nothing of it" 0 "$(grep -ci cuda err)"
expect 2 "a precision that is none" "${train[@]}" -o x --steps 1 --precision fp8
ok "doctor" env JAMROLL_CUDA="$work/none.so" "$jamroll" doctor
has "why there is no CUDA" '^-- +cuda .*none.so' out

if [ ! -e "$simulated" ]; then
    echo "skipped: the simulated device was not built"
    finish
fi
export JAMROLL_CUDA=$simulated
for driver in none old; do
    expect 5 "no device: $driver" env JAMROLL_SIMT_DRIVER=$driver "$jamroll" generate --device cuda -o x.mid
done
has "a driver that is too old" 'driver is too old: it knows CUDA' err
ok "doctor" "$jamroll" doctor
has "finds it" '^ok +cuda .*simulated device' out

mkdir midi
for seed in 1 2 3 4; do
    "$jamroll" generate --quiet --bars 8 --seed $seed -o midi/song$seed.mid
done
ok "a data set" "$jamroll" dataset build midi -o set.bin
ok "trained on the CPU" "${train[@]}" -o cpu --steps 4 --device cpu
ok "trained on the device" "${train[@]}" -o gpu --steps 4 --device cuda
ok "begun on the CPU" "${train[@]}" -o both --steps 2 --device cpu
ok "gone on with on the device" "${train[@]}" -o both --steps 3 --device cuda --resume
ok "and on the CPU again" "${train[@]}" -o both --steps 4 --device cpu --resume
losses() { awk '$3 == "train" { last = $NF } END { printf "%.3f", last }' "$1/log.tsv"; }
is "to the same losses" "$(losses cpu)" "$(losses both)"
ok "in less precision" "${train[@]}" -o tf32 --steps 1 --device cuda --precision tf32

expect 0 "memory that is full" env JAMROLL_SIMT_MEMORY=60000000 "$jamroll" generate --bars 4 --device cuda --seed 1 -o full.mid
has "is told" "memory does not hold it.* goes to the CPU" err
ok "and the CPU plays" cmp auto.mid full.mid
expect 0 "full in training" env JAMROLL_SIMT_MEMORY=34500000 "${train[@]}" -o full --steps 2 --device cuda
has "training goes on" 'training goes to the CPU' err
expect 5 "a failure in the middle" env JAMROLL_SIMT_FAULT=400 "${train[@]}" -o fault --steps 4 --device cuda
has "is told" 'the GPU failed' err
finish
