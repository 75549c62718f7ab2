#!/bin/bash
# Latent vectors by hand: out of seeds and files, sums of them, ways between them, pictures of all takes.
. "$(dirname "$0")/../lib/cli.sh"

tiny=width=0.1,steps=16,octaves=5,batch=8,critic-steps=1
ok "a data set" "$jamroll" dataset build --min-roles 1 --held-out 0 "$root/assets/seeds" -o set.bin
ok "a network" "$jamroll" train musegan --data set.bin -o run --set $tiny --steps 2 --no-samples --quiet
ok "and one that accompanies" "$jamroll" train musegan --data set.bin -o around --set $tiny,condition=drums --steps 2 --no-samples --quiet
m=run/musegan.safetensors

ok "takes and their vectors" "$jamroll" generate -m $m --seed 5 -n 2 --bars 8 --save-z z.npy -o a.mid
ok "the takes of the vectors" "$jamroll" generate -m $m --seed 5 --bars 8 --z z.npy -o b.mid
is "are the same" "$(notes a-1.mid "$all_tracks")" "$(notes b-1.mid "$all_tracks")"
is "both of them" "$(notes a-2.mid "$all_tracks")" "$(notes b-2.mid "$all_tracks")"
ok "a sum of seeds" "$jamroll" generate -m $m --seed 1 --z 3+5-5 -o sum.mid
ok "and its like" "$jamroll" generate -m $m --seed 1 --z 3 -o three.mid
is "are one" "$(notes sum.mid "$all_tracks")" "$(notes three.mid "$all_tracks")"
has "the file says so" 'z=given' sum.mid

ok "a way" "$jamroll" interpolate -m $m 3 9-4 --steps 9 --seed 1 -o way/ --grid way.png --save-z way.npy --json
has "a picture" 'PNG' way.png
is "of nine takes" 9 "$(grep -c '"take"' out)"
is "begins at A" "$(notes three.mid "$all_tracks")" "$(notes way/take-1.mid "$all_tracks")"
ok "B by itself" "$jamroll" generate -m $m --seed 1 --z 9-4 -o end.mid
is "ends at B" "$(notes end.mid "$all_tracks")" "$(notes way/take-9.mid "$all_tracks")"
ok "an arc" "$jamroll" interpolate -m $m 3 4 --way arc --steps 3 --seed 1 -o arc.npz
ok "rolls of it" test -s arc-1.npz -a -s arc-3.npz
ok "a grid" "$jamroll" interpolate -m $m 3 4 5 --steps 3 --across 2 --seed 1 -o grid.png --grid all.png
ok "six pictures and one" test -s grid-6.png -a -s all.png -a ! -e grid-7.png
ok "around a track" "$jamroll" interpolate -m around/musegan.safetensors 3 4 --around "$root/assets/seeds/rock-groove.mid" --steps 2 --seed 1 -o drums.mid
is "which stays" "$(notes "$root/assets/seeds/rock-groove.mid" Drums 1 4)" "$(notes drums-2.mid Drums 1 4)"
ok "takes in one picture" "$jamroll" generate -m $m -n 5 --seed 2 -o five/ --grid five.png

expect 3 "too short a vector" "$jamroll" generate -m $m --bars 4 --z z.npy -o x.mid
has "says what it takes" 'numbers' err
expect 3 "no seeds" "$jamroll" generate -m $m --z 3+ -o x.mid
expect 3 "no array" "$jamroll" generate -m $m --z run.npy -o x.mid
expect 4 "the band has none" "$jamroll" generate --z 3 -o x.mid
expect 3 "ends are single" "$jamroll" interpolate -m $m 3 way.npy -o x/
expect 4 "an arc has two ends" "$jamroll" interpolate -m $m 3 4 5 --way arc -o x/
expect 2 "three files are no ends" "$jamroll" interpolate a-1.mid a-2.mid b-1.mid -o x/
finish
