/* font.h: the built-in instruments as waves, between the recipes (font_wave.c) and the SoundFont file made of
 * them (font.c). Private to src/audio. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* One octave of a pitched instrument, or one drum. pcm is owned; loop_end 0 = played once. */
struct wave { float *pcm; size_t n, loop_start, loop_end; int rate, root; double cents; };
void wave_fini(struct wave *w);

/* A pitched instrument: partials that decay at their own rates, then freeze into a loop. Envelopes are left
 * to the synthesizer. Times in seconds, levels in decibels. */
struct tone {
    const char *name;
    uint8_t first, last;             /* General MIDI programs it stands for */
    uint8_t low_root, high_root;     /* roots are octaves apart */
    float seconds;                   /* before the loop begins */
    uint8_t partials; float tilt;    /* partial h has amplitude h^-tilt */
    float even;                      /* share of even partials: 0 hollow, 1 full */
    float strike;                    /* where the string is struck, 0..0.5 of its length; 0 = nowhere */
    float damp, damp_high;           /* decay rate 1/s of partial h: damp + damp_high * h */
    uint8_t voices;                  /* 1, or 3 slightly out of tune */
    float noise;                     /* of the hammer or the breath */
    float attack, decay, sustain, release; /* volume envelope; decay to silence when sustain is -100 */
    float level;                     /* attenuation */
    int16_t vibrato, key_decay;      /* cents; timecents a key by which high notes are shorter */
};
extern const struct tone tones[];
extern const size_t n_tones;
struct wave tone_wave(const struct tone *t, int root);

/* A drum: a falling sine, a noise band and a cluster of inharmonic partials, each with its own decay. */
struct drum {
    const char *name;
    uint8_t low, high, root;         /* keys; root 0 = every key at the same pitch */
    float seconds;
    float from_hz, to_hz, fall, tone, tone_decay;  /* sine: start, end, time constant; level, decay time */
    float noise, noise_decay, low_cut, high_cut;   /* noise band: level, decay time, edges in Hz */
    float metal, metal_decay, metal_hz;            /* cluster: level, decay time, lowest partial */
    float level;                     /* attenuation, dB */
    int8_t pan, choke;               /* -50..50 of 100; drums with one choke number cut each other */
};
extern const struct drum drums[];
extern const size_t n_drums;
struct wave drum_wave(const struct drum *d);
