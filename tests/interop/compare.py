"""Other programs' reading of a file, note by note against jamroll's own (`info --notes`, on standard input or as a
file). Prints what differs; exit code 1 when anything does.

    compare.py midi NOTES.tsv FILE.mid        mido: track, tick, length, pitch, velocity
    compare.py played NOTES.tsv FILE.mid      the same without lengths and velocities: what MuseScore would play
    compare.py score NOTES.tsv FILE.musicxml  music21: part, onset, length, pitch; of the kit the onsets alone
    compare.py npz NOTES.tsv FILE.npz         numpy: track, step, pitch"""
import sys
from collections import Counter
from fractions import Fraction

TPQ = 480


def own(path):
    with open(path) as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    return [(r[0], int(r[1]), int(r[2]), int(r[3]), int(r[4])) for r in rows]


def midi_notes(path):
    import mido

    out, file = [], mido.MidiFile(path)
    for track in file.tracks:
        tick, name, sounding = 0, track.name, {}
        for m in track:
            tick += m.time
            if m.type == "note_on" and m.velocity > 0:
                sounding[m.channel, m.note] = (tick, m.velocity)
            elif m.type in ("note_on", "note_off"):
                start, velocity = sounding.pop((m.channel, m.note))
                scale = Fraction(TPQ, file.ticks_per_beat)
                out.append((name, int(start * scale), int((tick - start) * scale), m.note, velocity))
        assert not sounding, f"{path}: notes without an end"
    return out


def score_notes(path):
    import music21

    score, out = music21.converter.parse(path, forceSource=True), []
    for part in score.parts:
        tied = {} # (pitch, where it must go on) -> where it began
        for e in part.flatten().notes:
            start = int(Fraction(e.offset).limit_denominator(48) * TPQ)
            end = start + int(Fraction(e.quarterLength).limit_denominator(48) * TPQ)
            for n in getattr(e, "notes", [e]):
                begins = not n.tie or n.tie.type == "start"
                if part.partName == "Drums":
                    out += [("Drums", start, 0, 0)] * begins
                    continue
                began = start if begins else tied.pop((n.pitch.midi, start))
                if n.tie and n.tie.type in ("start", "continue"):
                    tied[n.pitch.midi, end] = began
                else:
                    out.append((part.partName, began, end - began, n.pitch.midi))
        assert not tied, f"{path}: ties to nothing: {tied}"
    return out


def npz_cells(path):
    import numpy

    z = numpy.load(path)
    out = Counter()
    for i in range(sum(name.endswith("_csc_shape") for name in z.files)):
        part = {k: z[f"pianoroll_{i}_csc_{k}"] for k in ("data", "indices", "indptr")}
        for pitch in range(128):
            steps = part["indices"][part["indptr"][pitch]:part["indptr"][pitch + 1]]
            steps = sorted(int(s) for s in steps)
            out.update((i, s, pitch) for k, s in enumerate(steps) if k == 0 or steps[k - 1] + 1 != s)
    return out


def differ(want, got, what):
    missing, extra = Counter(want) - Counter(got), Counter(got) - Counter(want)
    for sign, notes in (("lacks", missing), ("has more", extra)):
        for note in sorted(notes)[:5]:
            print(f"{what} {sign}: {note}")
    print(f"{what}: {len(got)} notes, {sum(missing.values())} missing, {sum(extra.values())} more")
    return bool(missing or extra)


def main(how, notes, path):
    mine = own(notes)
    if how == "midi":
        return differ(mine, midi_notes(path), path)
    if how == "played":
        return differ([(t, p) for _, t, _, p, _ in mine], [(t, p) for _, t, _, p, _ in midi_notes(path)], path)
    if how == "npz":
        names = list(dict.fromkeys(n[0] for n in mine))
        cells = npz_cells(path)
        tracks = sorted({t for t, _, _ in cells})
        want = [(tracks[names.index(n)], t * 24 // TPQ, p) for n, t, _, p, _ in mine]
        return differ(want, list(cells.elements()), path)
    want = [("Drums", t, 0, 0) if n == "Drums" else (n, t, d, p) for n, t, d, p, _ in mine]
    return differ(want, score_notes(path), path)


sys.exit(main(*sys.argv[1:]))
