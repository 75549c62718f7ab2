#!/bin/bash
# Another genre on the screen: asked for with g t, heard against what was, more and less of it under the slider, further
# hearings, the melody locked; and what is kept stays.
. "$(dirname "$0")/../lib/screen.sh"
. "$root/tests/lib/pairs.sh"
cp judge.safetensors weights
cp midi/pop/band.mid song.mid
terminal 120 40
type_line "'$jamroll' song.mid --audio none"
see "the song" 'NORMAL'
keys g
see "the pop-up offers it" 't to genre'
keys t
see "which genre?" ':transfer'
keys Tab
see "those of the weights" 'jazz.*pop|pop.*jazz'
keys C-u
type_line "transfer polka"
see "not that" 'there are: .*jazz'
type_line ":batch 3"
type_line ":transfer jazz 0.8"
see "takes come" 'transfer: done, 3 of 3 takes'
see "how far it went" 'was<[-o]+>new 0\.80'
see "and what a judge takes it for" 'jazz [0-9]+>[0-9]+%'
keys ,
see "less of it, one take more" 'was<[-o]+>new 0\.70'
see "it has come" 'transfer: done, 1 of 1 takes'
keys .
see "more again: that take is there" 'strength 0\.80'
keys '['
type_line ":take 0"
see "what was" 'as it was before'
hide "no slider there" 'was<'
type_line ":take 1"
see "against it" 'was<[-o]+>new 0\.80'
keys g .
see "other hearings" 'transfer: done, 3 of 3 takes'
see "of the same" 'was<[-o]+>new 0\.80'
type_line ":set melody lock"
see "said" 'leaves the top line as it is'
type_line ":drums remake"
see "said" 'the band plays the drums anew'
type_line ":transfer jazz 0.9"
see "it does" 'transfer: done, 3 of 3 takes'
keys ']'
see "as the take says" 'strength=0\.90.*drums='
type_line ":set drums keep"
see "or not" 'leaves the drums as they are'
type_line ":transfer jazz 1 back"
see "there and back" 'transfer: done, 3 of 3 takes'
type_line ":take 0"
see "before it" 'as it was before'
type_line ":keep all"
type_line ":transfer jazz"
see "nothing may change" 'everything is kept or muted'
keys u u
leave
finish
