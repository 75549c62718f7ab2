#!/bin/bash
# Auditioning on the screen: a batch of takes, two of them marked, the steps between, the slider, variations; a
# cancelled request; and all of it there again after saving and leaving.
. "$(dirname "$0")/../lib/screen.sh"
seeds=("$root"/assets/seeds/*.mid)
cp "${seeds[0]}" song.mid

terminal 80 24
type_line "'$jamroll' song.mid --audio none"
see "the song" 'NORMAL'
keys g a
see "eight takes" 'done, 8 of 8 takes'
type_line ":take 1"
see "the first, whichever came first" 'takes *\[1\]'
keys A
see "is A" 'take 1 is A'
type_line ":take 8"
see "the last" 'takes.*\[8\]'
keys B
see "a slider, at B" 'A<--------o>B 1\.00'
keys ,
see "a tenth of the way back, written by the band" 'A<-------o->B 0\.90'
keys g i
see "nine steps" 'done, 9 of 9 takes'
keys ,
see "one that is there" 'A<------o-->B 0\.80'
keys '\'
keys '\'
see "A and B by ear" 'A<--------o>B|A<o--------'
keys g 2
see "variations, near" 'vary: done, 8 of 8 takes'
keys t r
see "a range is asked for" ':range'
type_line "E1 G3 strict"
see "said" 'E1 to G3, and never beyond'
type_line ":batch 32"
keys g g
see "at work" 'C cancels'
keys C-c
see "cancelled, what came stays" 'cancelled, [0-9]+ of 32 takes'
type_line ":save way.jam"
see "saved" 'saved'
keys q
see "left" '^ready> *$'
type_line "'$jamroll' way.jam --audio none"
see "the marks are there again" 'A<[-o]+>B'
type_line ":take 1"
see "and the takes" 'A<o-------->B 0\.00'
leave
finish
