#!/bin/bash
# Weight files: listed, shown, verified, and refused when they are broken.
. "$(dirname "$0")/../lib/cli.sh"

ok "list" "$jamroll" models list
ok "list as JSON" "$jamroll" models list --json
has "the band is there" '"family": "band"' out
ok "all networks" "$jamroll" models show --all
for count in 2578127 3889372 1365841; do
    has "a MuseGAN network of $count parameters" "[^0-9]$count parameters" out
done
ok "all networks as JSON" "$jamroll" models show --all --json
has "counts" '"parameters": 2578127' out
ok "verify" "$jamroll" models verify
has "says ok" ': ok$' out
expect 4 "verify nothing" "$jamroll" models verify nowhere
expect 4 "show nothing" "$jamroll" models show nowhere
ok "doctor" "$jamroll" doctor
has "models" '^ok  models' out
ok "devices" "$jamroll" devices --json

weights=$(find "$JAMROLL_MODELS" -name '*.safetensors' | sort | head -n 1)
ok "there are weights" test -n "$weights"
name=$(basename "$weights" .safetensors)
ok "show" "$jamroll" models show "$name"
has "metadata" 'genres' out
size=$(wc -c < "$weights")
head -c $((size / 2)) "$weights" > half.safetensors
expect 4 "half a file" "$jamroll" models verify ./half.safetensors
expect 4 "cannot play" "$jamroll" generate -m ./half.safetensors -o x.mid
(head -c 8 "$weights"; printf '}'; tail -c +10 "$weights") > broken.safetensors
expect 4 "a broken header" "$jamroll" models verify ./broken.safetensors
: > empty.safetensors
expect 4 "an empty file" "$jamroll" models verify ./empty.safetensors
cp "$jamroll" alone # models are also looked for beside the program
expect 4 "no models anywhere" env JAMROLL_MODELS="$work/none" ./alone models list
finish
