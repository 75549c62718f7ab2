/* midi_play.c: plays into "Midi Through" and sees where the player hears it: every note once, ended once, and at its
 * place in the song.
 *
 *     midi_play N STEP_MS */
#include <alsa/asoundlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "player.h"
#include "song.h"

enum { THROUGH = 14, MOST = 4096 };

static snd_seq_t *open_port(int *port)
{
    snd_seq_t *seq = NULL;
    if (snd_seq_open(&seq, "default", SND_SEQ_OPEN_OUTPUT, 0) < 0) {
        fprintf(stderr, "midi_play: no sequencer\n");
        exit(2);
    }
    *port = snd_seq_create_simple_port(seq, "hand", SND_SEQ_PORT_CAP_READ, SND_SEQ_PORT_TYPE_APPLICATION);
    return seq;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* How far the moments lie from an even row of `step`, whose phase is their median. */
static void print_distances(double *at, int n, double step)
{
    for (int i = 0; i < n; i++)
        at[i] -= i * step;
    double *sorted = malloc((size_t)n * sizeof *sorted);
    memcpy(sorted, at, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    double middle = sorted[n / 2];
    for (int i = 0; i < n; i++)
        sorted[i] = fabs(at[i] - middle);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    printf("places off the beat they were played on: median %.3f ms, 99th percentile %.3f ms, most %.3f ms\n",
           sorted[n / 2], sorted[(n * 99 + 99) / 100 - 1], sorted[n - 1]);
    free(sorted);
}

static void send(snd_seq_t *seq, int port, int pitch, int vel)
{
    snd_seq_event_t e;
    snd_seq_ev_clear(&e);
    snd_seq_ev_set_source(&e, (unsigned char)port);
    snd_seq_ev_set_dest(&e, THROUGH, 0);
    snd_seq_ev_set_direct(&e);
    snd_seq_ev_set_noteon(&e, 0, (unsigned char)pitch, (unsigned char)vel);
    snd_seq_event_output_direct(seq, &e);
}

/* 120 beats a minute and 480 ticks a beat: 0.96 ticks a millisecond. */
static int play(int n, double step_ms)
{
    static double tick[MOST];
    int port, heard = 0, ended = 0;
    struct player *p = NULL;
    struct song *s = song_new_band();
    snd_seq_t *seq = open_port(&port);
    if (player_new(&(struct player_opts){.audio = "none", .gain_db = -8}, &p) != ERR_OK ||
        player_set_midi_in(p, "Midi Through", false) != ERR_OK)
        exit(3);
    player_wait(p);
    player_set_song(p, s);
    player_play_part(p, 0, 1 << 20, 0);
    clock_sleep_until(clock_ns() + 500000000u);
    uint64_t start = clock_ns();
    for (int i = 0; i < n; i++) {
        struct heard h;
        clock_sleep_until(start + (uint64_t)(i * step_ms * 1e6));
        send(seq, port, 40 + i % 40, 90);
        clock_sleep_until(start + (uint64_t)((i + 0.5) * step_ms * 1e6));
        send(seq, port, 40 + i % 40, 0);
        while (player_heard(p, &h))
            if (!h.vel)
                ended++;
            else if (heard < MOST)
                tick[heard++] = h.tick / 0.96;
    }
    clock_sleep_until(clock_ns() + 200000000u);
    for (struct heard h; player_heard(p, &h);)
        ended += h.vel == 0;
    printf("notes %d played, %d heard, %d ended\n", n, heard, ended);
    if (heard > 1)
        print_distances(tick, heard, step_ms);
    player_free(p);
    song_free(s);
    return heard == n && ended == n;
}

int main(int argc, char **argv)
{
    if (argc != 3 || atoi(argv[1]) < 1 || atoi(argv[1]) > MOST) {
        fprintf(stderr, "usage: midi_play N STEP_MS\n");
        return 2;
    }
    bool good = play(atoi(argv[1]), atof(argv[2]));
    puts(good ? "good" : "BAD");
    return good ? 0 : 1;
}
