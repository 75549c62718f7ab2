"""Songs for the interop check, by a fixed seed: straight and triplet beats, odd metres, tempo and key changes, chords,
notes that ring over bar lines, a kit. Usage: songs.py FOLDER"""
import random
import sys

import mido

TPQ = 480
METRES = [[(4, 4)], [(3, 4)], [(7, 8)], [(4, 4), (5, 4), (6, 8), (3, 4)], [(12, 8)], [(2, 2)], [(4, 4)]]
PARTS = [("Drums", 9, 0), ("Piano", 0, 0), ("Guitar", 1, 25), ("Bass", 2, 33), ("Strings", 3, 48)]


def bars_of(metres, n):
    """[(tick, numerator, denominator)] of n bars, two of each metre in turn."""
    tick, bars = 0, []
    for i in range(n):
        num, den = metres[i // 2 % len(metres)]
        bars.append((tick, num, den))
        tick += num * 4 * TPQ // den
    return bars, tick


def melody(rng, end, low, high, chords, triplets):
    """Chords whose notes begin and end together; no pitch begins while it sounds."""
    notes, tick = [], 0
    while tick < end:
        beat = tick // TPQ * TPQ
        cell = TPQ // 3 if triplets and rng.random() < 0.3 else TPQ // 4
        places = [t for t in range(beat, beat + TPQ, cell) if t >= tick] or [beat + TPQ]
        start = rng.choice(places)
        # a note ends on the grid of the beat it ends in: sixteenths, which every beat may hold where nothing begins
        length = max(TPQ // 4, rng.choice([1, 1, 2, 3, 4, 6, 8, 20]) * TPQ // 4)
        stop = min((start // TPQ) * TPQ + (start % TPQ == 0) * length or beat + TPQ, end) if start % TPQ == 0 \
            else min(beat + TPQ, end)
        if stop <= start:
            tick = beat + TPQ
            continue
        pitches = rng.sample(range(low, high), rng.randint(1, chords))
        notes += [(start, stop - start, p, rng.randint(30, 120)) for p in pitches]
        tick = stop if stop % TPQ == 0 else (stop // TPQ + 1) * TPQ
        if rng.random() < 0.2:
            tick += TPQ
    return notes


def kit(rng, end):
    hits = set()
    for tick in range(0, end, TPQ // 4):
        for pitch, chance in ((36, 0.2), (38, 0.15), (42, 0.4), (49, 0.03)):
            if rng.random() < chance:
                hits.add((tick, TPQ // 4, pitch, rng.randint(40, 127)))
    return sorted(hits)


def write(path, seed):
    rng = random.Random(seed)
    odd = any(num % 2 and den == 8 for num, den in METRES[seed % len(METRES)]) # its quarters cross the bar lines
    bars, end = bars_of(METRES[seed % len(METRES)], 16)
    out = mido.MidiFile(ticks_per_beat=TPQ)
    head = [(0, mido.MetaMessage("track_name", name=f"Song & <{seed}>"))]
    last = None
    for tick, num, den in bars:
        if (num, den) != last:
            head.append((tick, mido.MetaMessage("time_signature", numerator=num, denominator=den)))
            last = (num, den)
    for i in range(1 + seed % 4):
        bpm = rng.randint(60, 180)
        head.append((bars[4 * i][0], mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))))
    head.append((0, mido.MetaMessage("key_signature", key=rng.choice(["C", "Eb", "F#m", "A", "Gm"]))))
    add_track(out, head)
    ranges = {"Piano": (48, 84, 3), "Guitar": (45, 76, 3), "Bass": (28, 50, 1), "Strings": (55, 90, 2)}
    for name, channel, program in PARTS:
        notes = kit(rng, end) if name == "Drums" else melody(rng, end, *ranges[name], not odd)
        events = [(0, mido.MetaMessage("track_name", name=name)),
                  (0, mido.Message("program_change", program=program, channel=channel))]
        for tick, dur, pitch, vel in notes:
            events.append((tick, mido.Message("note_on", note=pitch, velocity=vel, channel=channel)))
            events.append((tick + dur, mido.Message("note_off", note=pitch, velocity=64, channel=channel)))
        add_track(out, events)
    out.save(path)


def add_track(out, events):
    order = {"note_off": 1, "note_on": 2}
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda e: (e[0], order.get(e[1].type, 0))):
        track.append(message.copy(time=tick - now))
        now = tick
    out.tracks.append(track)


for number in range(len(METRES)):
    write(f"{sys.argv[1]}/song-{number}.mid", number)
