# shellcheck shell=bash
# pairs.sh: sourced by the tests of genre transfer after cli.sh: weights/ gets two small pairs of genres that learnt
# next to nothing, judge.safetensors a judge like them, and midi/ the songs they come of.
seeds=$root/assets/seeds
mkdir -p midi/jazz midi/pop midi/classical weights
cp "$seeds/walking-bass.mid" "$seeds/guitar-riff.mid" midi/jazz
cp "$seeds/piano-ballad.mid" midi/pop
cp "$seeds/rock-groove.mid" "$seeds/walking-bass.mid" midi/classical
for genre in jazz pop classical; do # a song of several tracks in each
    "$jamroll" generate --quiet --bars 8 --seed ${#genre} --tempo 96 -o midi/$genre/band.mid
done
ok "a data set" "$jamroll" dataset build --phrases --held-out 0.5 midi -o set.bin
for pair in jazz-pop jazz-classical; do
    ok "a pair" "$jamroll" train cyclegan --data set.bin -o run-$pair --steps 1 --name $pair --quiet \
        --set pair=$pair,width=4,blocks=1,batch=2,guard=0,measure=2
    cp run-$pair/$pair.safetensors weights
done
ok "a judge" "$jamroll" train judge --data set.bin -o run-judge --set width=4,batch=2 --steps 1 --quiet
cp "$(find run-judge -name 'judge*.safetensors' | sort | head -n 1)" judge.safetensors
export JAMROLL_MODELS=$work/weights:$JAMROLL_MODELS
