#!/bin/bash
# From a folder of MIDI to weights that play: data set, training with checkpoints, resuming, evaluation.
. "$(dirname "$0")/../lib/cli.sh"

for genre in rock jazz; do
    mkdir -p "midi/$genre"
    for seed in 1 2 3 4 5 6; do
        "$jamroll" generate --quiet --bars 8 --genre "$genre" --seed "$seed" -o "midi/$genre/song$seed.mid" 2> err ||
            "$jamroll" generate --quiet --bars 8 --seed "$seed" -o "midi/$genre/song$seed.mid"
    done
done
ok "build a data set" "$jamroll" dataset build midi -o set.bin
has "the report counts" '[0-9]+ phrases of [0-9]+ songs' out
ok "it is there" test -s set.bin
ok "the same again" "$jamroll" dataset build midi -o again.bin
ok "the same bytes" cmp set.bin again.bin
expect 3 "no such folder" "$jamroll" dataset build nowhere -o x.bin
expect 2 "where to?" "$jamroll" dataset build midi
expect 2 "dataset frobnicate" "$jamroll" dataset frobnicate

small=width=24,layers=1,heads=2,mlp=32,rows=512
ok "options of a family" "$jamroll" train band --options
has "width is one" '\-\-width' out
ok "train" "$jamroll" train band --data set.bin -o run --set $small --steps 6 --json
has "counts its steps" '"steps": 6' out
weights=$(find run -name '*.safetensors' ! -name 'checkpoint*' | head -n 1)
ok "there are weights" test -s "$weights"
ok "they are sound" "$jamroll" models verify "$weights"
ok "they play" "$jamroll" generate -m "$weights" --seed 1 -o first.mid

ok "it plays as it goes" test -s run/samples/00000006.mid -a -s run/samples/00000006.png -a -s run/figures.tsv
ok "what it was made of makes it again" "$jamroll" train band --data set.bin -o twice --config run/run.conf --steps 6 --quiet
ok "note for note" cmp run/samples/00000006.mid twice/samples/00000006.mid
is "loss for loss" "$(cut -f 1,3- run/log.tsv)" "$(cut -f 1,3- twice/log.tsv)"
expect 2 "another family's" "$jamroll" train vqvae --data set.bin -o x --config run/run.conf --steps 1
expect 2 "no such configuration" "$jamroll" train band --data set.bin -o x --config nowhere --steps 1
ok "or is mute" "$jamroll" train band --data set.bin -o mute --set $small --steps 2 --no-samples --quiet
expect 1 "no samples then" test -e mute/samples

ok "half of it" "$jamroll" train band --data set.bin -o half --set $small --steps 3 --quiet
ok "and the rest" "$jamroll" train band --data set.bin -o half --set $small --steps 6 --resume --quiet
ok "the same music as in one go" "$jamroll" generate -m "half/$(basename "$weights")" --seed 1 -o second.mid
is "the same notes" "$(notes first.mid "$all_tracks")" "$(notes second.mid "$all_tracks")"

ok "merged phrases" "$jamroll" dataset build --phrases --genres rock --per-song 2 midi -o merged.bin
has "a table by genre" 'midi +rock +[0-9]+ songs +[0-9]+ phrases, +[0-9]+ songs +[0-9]+ phrases held out' out
has "the other is left out" '6 files are of a genre' out
# Genre transfer and its judge.
ok "phrases of two genres" "$jamroll" dataset build --phrases --held-out 0.3 midi -o pair.bin
ok "a judge" "$jamroll" train judge --data pair.bin -o judge --set width=4,batch=4 --steps 4 --quiet
ok "is measured" "$jamroll" eval judge/judge.safetensors --data pair.bin -n 4
has "through noise" '(jazz - rock|rock - jazz), noise 0.5: right .* training ' out
ok "a pair of genres" "$jamroll" train cyclegan --data pair.bin -o pair --config cyclegan-small \
    --set pair=jazz-rock,width=4,blocks=1,batch=2,measure=4,warm=2,judge=judge/judge.safetensors --steps 4 --quiet
ok "is measured by the judge" "$jamroll" eval pair/cyclegan.safetensors --data pair.bin -n 4 --judge judge/judge.safetensors
has "how strong it is" '^strength S ' out
ok "or without one" "$jamroll" eval pair/cyclegan.safetensors --data pair.bin -n 4
has "what comes back" '^jazz: F1 of cells back again' out
for kind in base partial full; do
    ok "the published $kind model" "$jamroll" train cyclegan --data pair.bin -o $kind --config cyclegan-$kind \
        --set pair=jazz-rock,width=4,blocks=1,batch=2 --steps 1 --quiet
done
ok "a judge of a pair" "$jamroll" train judge --data pair.bin -o of-two --config judge-pair \
    --set genres=jazz-rock,width=4,batch=2 --steps 1 --quiet
expect 3 "genres the data lacks" "$jamroll" train cyclegan --data pair.bin -o no --set pair=jazz-polka,width=4 --steps 1
expect 3 "no pair" "$jamroll" train cyclegan --data pair.bin -o no --set pair=jazz,width=4 --steps 1
ok "whole pieces" "$jamroll" dataset build --works midi -o works.bin
has "by era" 'midi +rock' out
ok "a VQ-VAE" "$jamroll" train vqvae --data works.bin -o vq --set batch=4,codes=8,measure=32 --steps 4 --quiet
ok "is measured" "$jamroll" eval vq/vqvae.safetensors --data works.bin -n 2
has "by what comes back" 'F1 of note cells .* training ' out
ok "the one that ships" "$jamroll" eval "$root/models/vqvae.safetensors" --data works.bin -n 2
has "gives back what others wrote" 'F1 of note cells \(%\) +([789][0-9]|100)\.' out
# The pianist: styles, blends and glides; piano music goes on with it, in the bars after its own, twice the same.
ballad=$root/assets/seeds/piano-ballad.mid
ok "a pianist" "$jamroll" train pianist --data works.bin -o pi --set width=24,layers=1,heads=2,rows=2 --steps 4 --quiet
pianist=pi/pianist.safetensors
ok "a blend" "$jamroll" generate -m $pianist --style jazz:1..0,rock:0..1 --bars 8 --seed 4 -o blend.mid
ok "a piano piece goes on" "$jamroll" continue -m $pianist "$ballad" --bars 16 --seed 5 -o on.mid
ok "again" "$jamroll" continue -m $pianist "$ballad" --bars 16 --seed 5 -o on-again.mid
ok "the same bytes" cmp on.mid on-again.mid
ok "sixteen bars more, in its tempo" sh -c "'$jamroll' info on.mid | grep -q '^20 bars.*72.0 bpm'"
ok "by the pianist, who is chosen by a style too" env JAMROLL_MODELS=pi "$jamroll" generate --style jazz --seed 4 -o jazz.mid
has "as the file says" 'model=pianist' jazz.mid
# The same through the codes of the VQ-VAE, which is in the weights from then on.
ok "music in codes" "$jamroll" train codes --data works.bin -o co --steps 4 --quiet \
    --set vqvae=vq/vqvae.safetensors,width=16,layers=1,heads=2,rows=2,context=4
mv vq/vqvae.safetensors vq/away
ok "goes on where it was" "$jamroll" train codes --data works.bin -o co -r --steps 6 --quiet \
    --set vqvae=none,width=16,layers=1,heads=2,rows=2,context=4
codes=co/codes.safetensors
ok "a blend in codes" "$jamroll" generate -m $codes --style jazz:1..0,rock:0..1 --bars 8 --seed 4 -o blend.mid
ok "a piano piece goes on in codes" "$jamroll" continue -m $codes "$ballad" --bars 16 --seed 5 -o on.mid
ok "again" "$jamroll" continue -m $codes "$ballad" --bars 16 --seed 5 -o on-again.mid
ok "the same bytes" cmp on.mid on-again.mid
ok "is measured, too" "$jamroll" eval $codes --data works.bin -n 2
has "beside what counting foresees" 'held-out bits a quarter .* six-grams ' out
has "with what the codes keep" 'F1 of note cells through the codes' out
mv vq/away vq/vqvae.safetensors
ok "a VQ-VAE is found by its name" env JAMROLL_MODELS=vq "$jamroll" train codes --data works.bin -o named --steps 1 --quiet \
    --set vqvae=vqvae,width=16,layers=1,heads=2,rows=2,context=4
expect 3 "weights without a name" "$jamroll" train codes --data works.bin -o no --steps 1 --set vqvae=
has "asks for it" "which weights" err
expect 3 "no codes to learn" "$jamroll" train codes --data works.bin -o no --steps 1 --set vqvae=missing
expect 2 "no such style" "$jamroll" generate -m $pianist --style satie:2 -o x.mid
expect 2 "the band has no styles" "$jamroll" generate --model band --style jazz -o x.mid
# The frames, by beats and by the clock: they go on, twice the same, and suggest what could come next, the likeliest first.
for time in beats clock; do
    ok "frames by $time" "$jamroll" train frames --data works.bin -o fr-$time --set time=$time,width=12,hidden=12,rows=8,window=16,chords=200 \
        --steps 6 --quiet
    frames=fr-$time/frames.safetensors
    ok "go on" "$jamroll" continue -m $frames "$ballad" --bars 8 --seed 5 -o on-$time.mid
    ok "and again" "$jamroll" continue -m $frames "$ballad" --bars 8 --seed 5 -o on-again.mid
    ok "the same bytes" cmp on-$time.mid on-again.mid
    ok "suggest" "$jamroll" suggest -m $frames "$ballad" --track piano --at 3.2 --n 3 --take 2 -o next.mid --json
    has "three candidates" '"rank": 3' out
    is "in falling order" "$(grep probability out | sort -r)" "$(grep probability out)"
done
ok "are measured" "$jamroll" eval fr-beats/frames.safetensors --data works.bin -n 2
has "beside counts" 'held-out bits a frame .* six-grams ' out
expect 3 "from works alone" "$jamroll" train frames --data set.bin -o no --steps 1
expect 3 "not on phrases" "$jamroll" eval vq/vqvae.safetensors --data set.bin
expect 3 "nor learnt from them" "$jamroll" train vqvae --data set.bin -o no --steps 1

"$jamroll" train band --data set.bin -o long --set $small --minutes 5 --quiet > out 2> err &
trainer=$!
until_true test -s long/log.tsv
kill -INT $trainer
wait $trainer
is "Ctrl-C ends it" 130 $?
ok "and saves" test -s long/checkpoint.safetensors

ok "evaluate" "$jamroll" eval "$weights" --data set.bin --n 4
ok "evaluate as JSON" "$jamroll" eval "$weights" --data set.bin --n 4 --json
has "schema" '"schema": 1' out
ok "by the published definitions, beside published figures" \
    "$jamroll" eval "$weights" --data set.bin --n 2 --takes 1 --definitions published --beside musegan
has "as the first code counts" '^  v1 ' out
has "who is nearer" 'nearer than jamming' out
ok "side by side" "$jamroll" eval "$weights" "$weights" --data set.bin --n 2 --takes 1 --mode accompany --beside binary
has "on the same phrases" 'held-out +[a-z.]+ +[a-z.]+' out
expect 2 "not with one that measures itself" "$jamroll" eval "$weights" pi/pianist.safetensors --data set.bin --n 2
expect 2 "no such family" "$jamroll" train kazoo --data set.bin -o x --steps 1
expect 2 "no such option" "$jamroll" train band --data set.bin -o x --steps 1 --set kazoo=1
expect 2 "no end" "$jamroll" train band --data set.bin -o x
expect 3 "no such data" "$jamroll" train band --data nowhere.bin -o x --steps 1
expect 3 "not a data set" "$jamroll" train band --data "$weights" -o x --steps 1
finish
