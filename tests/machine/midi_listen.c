/* midi_listen.c: listens at "Midi Through" while a song is played to it, and judges what came.
 *
 *     midi_listen SONG.mid [whole|part]
 *
 * Every event is stamped by the sequencer in the kernel, so this program's own delays do not count. It ends when
 * nothing came for a while. whole: as many notes on and off as the song has. part: whatever came, every note that
 * was begun was ended. Both print the onsets' distance from their ideal places (the song moved as one piece). */
#include <alsa/asoundlib.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "midi.h"
#include "seq.h"
#include "song.h"

enum { THROUGH = 14, MOST = 1 << 16, START_MS = 20000, IDLE_MS = 2500 };

static struct { double seconds; unsigned char channel, pitch; } onset[MOST];
static int n_on, n_off, n_clock, n_start, n_stop, n_orphan, hanging[16][128];
static double first_clock, last_clock;

static void must(long rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "midi_listen: %s: %s\n", what, snd_strerror((int)rc));
    exit(2);
}

static snd_seq_t *open_port(void)
{
    snd_seq_t *seq;
    snd_seq_port_info_t *port;
    must(snd_seq_open(&seq, "default", SND_SEQ_OPEN_DUPLEX, 0), "the sequencer");
    int queue = snd_seq_alloc_queue(seq);
    must(queue, "a queue");
    snd_seq_port_info_alloca(&port);
    snd_seq_port_info_set_name(port, "ear");
    snd_seq_port_info_set_capability(port, SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE);
    snd_seq_port_info_set_type(port, SND_SEQ_PORT_TYPE_APPLICATION);
    snd_seq_port_info_set_timestamping(port, 1);
    snd_seq_port_info_set_timestamp_real(port, 1);
    snd_seq_port_info_set_timestamp_queue(port, queue);
    must(snd_seq_create_port(seq, port), "a port");
    must(snd_seq_connect_from(seq, snd_seq_port_info_get_port(port), THROUGH, 0), "Midi Through");
    must(snd_seq_set_input_buffer_size(seq, 1 << 20), "the buffer");
    must(snd_seq_start_queue(seq, queue, NULL), "the queue");
    snd_seq_drain_output(seq);
    return seq;
}

static void take_note(const snd_seq_event_t *ev, double at, int on)
{
    int *open = &hanging[ev->data.note.channel & 15][ev->data.note.note & 127];
    if (!on) {
        n_off++;
        n_orphan += *open == 0;
        *open -= *open > 0;
        return;
    }
    ++*open;
    if (n_on < MOST) {
        onset[n_on].seconds = at;
        onset[n_on].channel = ev->data.note.channel;
        onset[n_on].pitch = ev->data.note.note;
    }
    n_on++;
}

static void take_event(const snd_seq_event_t *ev)
{
    double at = (double)ev->time.time.tv_sec + (double)ev->time.time.tv_nsec * 1e-9;
    switch (ev->type) {
    case SND_SEQ_EVENT_NOTEON:
        take_note(ev, at, ev->data.note.velocity > 0);
        break;
    case SND_SEQ_EVENT_NOTEOFF:
        take_note(ev, at, 0);
        break;
    case SND_SEQ_EVENT_CLOCK:
        first_clock = n_clock++ ? first_clock : at;
        last_clock = at;
        break;
    case SND_SEQ_EVENT_START:
        n_start++;
        break;
    case SND_SEQ_EVENT_STOP:
        n_stop++;
        break;
    default:
        break;
    }
}

static void listen(snd_seq_t *seq)
{
    struct pollfd fd;
    snd_seq_poll_descriptors(seq, &fd, 1, POLLIN);
    for (int wait = START_MS; poll(&fd, 1, wait) > 0; wait = IDLE_MS)
        do {
            snd_seq_event_t *ev;
            must(snd_seq_event_input(seq, &ev), "reading");
            take_event(ev);
        } while (snd_seq_event_input_pending(seq, 1) > 0);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each onset's place in the song is the next of its pitch and channel that was not heard yet. */
static int distances(const struct seq *song, double *out)
{
    char *used = calloc(song->n + 1, 1);
    int n = 0;
    for (int i = 0; i < n_on && i < MOST; i++)
        for (size_t k = 0; k < song->n; k++) {
            const struct seq_event *e = &song->events[k];
            if (used[k] || e->kind != SEQ_ON || e->channel != onset[i].channel || e->a != onset[i].pitch)
                continue;
            used[k] = 1;
            out[n++] = onset[i].seconds - e->seconds;
            break;
        }
    free(used);
    return n;
}

static int judge(const struct seq *song, int whole)
{
    static double d[MOST];
    int want = 0, left = 0, n = distances(song, d);
    for (size_t k = 0; k < song->n; k++)
        want += song->events[k].kind == SEQ_ON;
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            left += hanging[c][p];
    printf("notes %d on, %d off, %d in the song, %d hanging, %d ended twice\n", n_on, n_off, want, left, n_orphan);
    if (n_clock > 1)
        printf("clock %d ticks, %.3f ms apart, start %d, stop %d\n", n_clock,
               1e3 * (last_clock - first_clock) / (n_clock - 1), n_start, n_stop);
    if (n > 0) {
        qsort(d, (size_t)n, sizeof *d, by_size);
        double middle = d[n / 2];
        for (int i = 0; i < n; i++)
            d[i] = fabs(d[i] - middle);
        qsort(d, (size_t)n, sizeof *d, by_size);
        printf("onsets off their places: median %.3f ms, 99th percentile %.3f ms, most %.3f ms\n", 1e3 * d[n / 2],
               1e3 * d[(n * 99 + 99) / 100 - 1], 1e3 * d[n - 1]);
    }
    int good = n_on > 0 && left == 0 && n == n_on && (!whole || (n_on == want && n_off == want && n_orphan == 0));
    puts(good ? "good" : "BAD");
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct song *song;
    if (argc < 2 || midi_load(argv[1], &song, NULL) != ERR_OK) {
        fprintf(stderr, "usage: midi_listen SONG.mid [whole|part]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    listen(open_port());
    return judge(seq_new(song), argc < 3 || strcmp(argv[2], "whole") == 0);
}
