#!/usr/bin/env python3
"""Our MIDI reader and writer against other people's, over a folder of files.

    cross_midi.py JAMROLL FOLDER [COUNT]

Each file is read and written by `jamroll convert`. midicsv and midi2abc must open the result without a
complaint, and mido (if it is installed) must find the same onsets in both, no pitch sounding twice on a
channel, and an end for every note. Not part of `make check`: it needs a collection and those programs."""
import collections, os, random, shutil, subprocess, sys, tempfile

try:
    import mido
except ImportError:
    mido = None


def onsets(path, strict):
    midi = mido.MidiFile(path, clip=True)
    found = set()
    for track in midi.tracks:
        now, sounding = 0, collections.Counter()
        for e in track:
            now += e.time
            if e.type == "note_on" and e.velocity > 0:
                key = e.channel, e.note
                if strict and sounding[key]:
                    raise AssertionError("pitch %d sounds twice on channel %d" % (e.note, e.channel + 1))
                sounding[key] += 1
                found.add((int(now * 480 / midi.ticks_per_beat + 0.5), e.note))
            elif e.type in ("note_on", "note_off") and sounding[e.channel, e.note]:
                sounding[e.channel, e.note] -= 1
        if strict and +sounding:
            raise AssertionError("a note never ends")
    return found


def complaints(path, out):
    for program in (["midicsv", path], ["midi2abc", path, "-o", os.devnull]):
        if shutil.which(program[0]):
            r = subprocess.run(program, capture_output=True)
            if r.returncode or (program[0] == "midicsv" and r.stderr):
                yield "%s: %s" % (program[0], r.stderr.decode(errors="replace").strip())
    if mido:
        try:
            ours = onsets(out, True)
        except AssertionError as e:
            yield str(e)
            return
        try:
            theirs = onsets(path, False)
        except Exception:
            return  # not our file, not our fault
        if ours != theirs:
            yield "%d onsets only ours, %d only in the source" % (len(ours - theirs), len(theirs - ours))


def main():
    jamroll, folder = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    files = sorted(os.path.join(d, f) for d, _, fs in os.walk(folder) for f in fs if f.lower().endswith(".mid"))
    random.seed(1)
    files = random.sample(files, min(count, len(files)))
    bad = 0
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "out.mid")
        for path in files:
            r = subprocess.run([jamroll, "convert", path, "-o", out], capture_output=True)
            found = ["jamroll: " + r.stderr.decode().strip()] if r.returncode else list(complaints(path, out))
            for text in found:
                print("%s: %s" % (path, text))
            bad += bool(found)
    print("%d files, %d with a complaint%s" % (len(files), bad, "" if mido else " (without mido)"))
    return bad > 0


sys.exit(main())
