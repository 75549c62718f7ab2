/* act_play.c: the transport, the metronome, the devices that sound and that are played on. What is set here is on
 * the desk, so that it can be said before there is a player (the rc file), and goes to the player when there is
 * one. */
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "file.h"
#include "log.h"
#include "mem.h"
#include "midiin.h"
#include "midiout.h"
#include "player.h"

/* ---- transport ---- */

static enum err play_to(struct desk *d, int32_t from, int32_t to, uint64_t tracks)
{
    if (!d->doors.play)
        return err_set(ERR_UNSUPPORTED, "no sound here");
    d->play_to = to;
    d->play_tracks = tracks;
    return d->doors.play(d->doors.ctx, from);
}

/* All of it. Music ends with its last note; a metronome and whoever records go on to the end of the song. */
static enum err play_from(struct desk *d, int32_t tick)
{
    const struct session *s = d->session;
    bool on = d->sound.click || d->record != RECORD_OFF || song_end(session_song(d->session)) == 0;
    int32_t end = d->chained ? session_place_tick(s, session_n_chain(s)) : session_end(s);
    return play_to(d, tick, on && !d->loop ? end : 0, 0);
}

enum err act_stop(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (d->doors.stop)
        d->doors.stop(d->doors.ctx);
    return ERR_OK;
}

enum err act_play(struct desk *d, int argc, char **argv)
{
    if (d->playing)
        return act_stop(d, argc, argv);
    int32_t from = d->playhead < 0 || d->playhead >= session_end(d->session) ? 0 : d->playhead;
    if (d->loop && (from < d->loop_from || from >= d->loop_to))
        from = d->loop_from;
    return play_from(d, from);
}

enum err act_play_start(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_to_top(d);
    return play_from(d, d->loop ? d->loop_from : 0);
}

enum err act_cue(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return play_from(d, d->tick);
}

/* What is selected and nothing else, once. */
enum err act_play_selection(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct song *song = session_song(d->session);
    struct span s = desk_selection(d);
    uint64_t tracks = 0;
    for (int r = s.track0; r <= s.track1; r++)
        tracks |= 1ull << r;
    return play_to(d, song_bar_tick(song, s.bar0), song_bar_tick(song, s.bar1 + 1), tracks);
}

enum err act_rewind(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    desk_to_top(d);
    d->playhead = d->loop ? d->loop_from : 0;
    return d->playing ? play_from(d, d->playhead) : ERR_OK;
}

/* On: the selection, or the phrase of four bars at the cursor, or the whole of a short song. */
enum err act_loop(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    const struct song *song = session_song(d->session);
    struct span s = desk_selection(d);
    int last = session_n_bars(d->session);
    if (d->mode != MODE_SELECT) {
        s.bar0 -= s.bar0 % 4;
        s.bar1 = s.bar0 + 3 < last ? s.bar0 + 3 : last - 1;
    }
    desk_chained(d, false);
    d->loop = d->mode == MODE_SELECT || !d->loop;
    d->loop_from = song_bar_tick(song, s.bar0);
    d->loop_to = song_bar_tick(song, s.bar1 + 1);
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    if (d->doors.loop)
        d->doors.loop(d->doors.ctx, d->loop_from, d->loop ? d->loop_to : 0);
    if (d->loop)
        desk_say(d, "loop bars %d-%d", s.bar0 + 1, s.bar1 + 1);
    else
        desk_say(d, "loop off");
    return ERR_OK;
}

enum err act_panic(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (d->doors.panic)
        d->doors.panic(d->doors.ctx);
    desk_say(d, "all notes off");
    return ERR_OK;
}

/* ---- switches ---- */

enum err act_click(struct desk *d, int argc, char **argv)
{
    TRY(arg_switch(argc, argv, &d->sound.click));
    if (d->player)
        player_set_click(d->player, d->sound.click);
    desk_say(d, "metronome %s", d->sound.click ? "on" : "off");
    return ERR_OK;
}

/* Nobody starts or stops by this: that is play's business. */
enum err act_clock(struct desk *d, int argc, char **argv)
{
    TRY(arg_switch(argc, argv, &d->sound.clock));
    if (d->player)
        player_set_clock(d->player, d->sound.clock);
    desk_say(d, "MIDI clock %s", d->sound.clock ? "on: goes out with play and stop" : "off");
    return ERR_OK;
}

enum err act_count_in(struct desk *d, int argc, char **argv)
{
    (void)argc;
    TRY(arg_int(argv[0], 0, 4, &d->sound.count_in));
    desk_say(d, "%d bars before playing", d->sound.count_in);
    return ERR_OK;
}

enum err act_latency(struct desk *d, int argc, char **argv)
{
    int ms = -1;
    (void)argc;
    if (!str_same(argv[0], "auto"))
        TRY(arg_int(argv[0], 0, 1000, &ms));
    d->sound.latency_ms = ms;
    if (d->player)
        player_set_latency(d->player, ms);
    desk_say(d, ms < 0 ? "latency as the driver has it" : "%d ms from here to the ear", ms);
    return ERR_OK;
}

/* ---- devices ---- */

/* What was chosen at the screen is chosen again at the next start; the rc file has the last word. */
static void remember(const struct desk *d)
{
    struct str text = {0};
    char *path = place_path(PLACE_STATE, "sound");
    if (d->sound.audio[0])
        str_addf(&text, "audio %s\n", d->sound.audio);
    if (d->sound.midi_out[0])
        str_addf(&text, "midi-out %s\n", d->sound.midi_out);
    if (d->sound.midi_in[0])
        str_addf(&text, "midi-in %s\n", d->sound.midi_in);
    if (file_write(path, str_c(&text), text.len) != ERR_OK)
        log_warn("the devices are not remembered: %s", err_text());
    free(path);
    str_fini(&text);
}

static void join(char *out, size_t cap, int argc, char **argv)
{
    struct str text = {0};
    for (int i = 0; i < argc; i++)
        str_addf(&text, "%s%s", i ? " " : "", argv[i]);
    str_copy(out, cap, str_c(&text));
    str_fini(&text);
}

struct side {
    const char *what;
    int (*list)(struct str *out);
    enum err (*set)(struct player *p, const char *name, bool wait);
    bool (*now)(const struct player *p, struct str *name);
};
static const struct side out_side = {"MIDI out", midiout_list, player_set_midi_out, player_midi_out};
static const struct side in_side = {"MIDI in", midiin_list, player_set_midi_in, player_midi_in};

/* Without a name: what there is. */
static void tell(struct desk *d, const struct side *side, const char *chosen)
{
    struct str list = {0};
    int n = side->list(&list);
    for (size_t i = 0; i + 1 < list.len; i++)
        list.p[i] = list.p[i] == '\n' ? ',' : list.p[i];
    if (n > 0)
        desk_say(d, "%s: %s; there are %.*s", side->what, *chosen ? chosen : "none", (int)list.len - 1, str_c(&list));
    else
        desk_say(d, "%s: %s; no port here (plug one in, or load snd-seq for Midi Through)", side->what,
                 *chosen ? chosen : "none");
    str_fini(&list);
}

static enum err choose(struct desk *d, const struct side *side, char chosen[DEVICE_NAME], int argc, char **argv)
{
    char name[DEVICE_NAME];
    struct str full = {0};
    if (argc == 0) {
        tell(d, side, chosen);
        return ERR_OK;
    }
    join(name, sizeof name, argc, argv);
    if (str_same(name, "none"))
        name[0] = '\0';
    if (!d->player) { /* before the player: it will look, and wait */
        str_copy(chosen, DEVICE_NAME, name);
        return ERR_OK;
    }
    TRY(side->set(d->player, name, false));
    side->now(d->player, &full);
    str_copy(chosen, DEVICE_NAME, str_c(&full));
    desk_say(d, "%s: %s", side->what, full.len ? str_c(&full) : "none");
    str_fini(&full);
    remember(d);
    return ERR_OK;
}

enum err act_midi_out(struct desk *d, int argc, char **argv)
{
    return choose(d, &out_side, d->sound.midi_out, argc, argv);
}

enum err act_midi_in(struct desk *d, int argc, char **argv)
{
    return choose(d, &in_side, d->sound.midi_in, argc, argv);
}

enum err act_audio(struct desk *d, int argc, char **argv)
{
    (void)argc;
    str_copy(d->sound.audio, sizeof d->sound.audio, argv[0]);
    if (!d->player)
        return ERR_OK;
    player_set_audio(d->player, argv[0]);
    remember(d);
    desk_say(d, "audio: %s", argv[0]);
    return ERR_OK;
}

void desk_set_player(struct desk *d, struct player *p)
{
    d->player = p;
    player_set_click(p, d->sound.click);
    player_set_clock(p, d->sound.clock);
    player_set_latency(p, d->sound.latency_ms);
    if ((d->sound.midi_out[0] && player_set_midi_out(p, d->sound.midi_out, true) != ERR_OK) ||
        (d->sound.midi_in[0] && player_set_midi_in(p, d->sound.midi_in, true) != ERR_OK))
        desk_complain(d);
}
