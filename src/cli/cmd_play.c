/* cmd_play.c: play a file to the sound card or a MIDI port until its end or Ctrl-C. */
#include "cli.h"

#include <stdlib.h>

#include "clock.h"
#include "midiout.h"
#include "player.h"
#include "role.h"

static int play_song(struct cli *c, const struct song *song)
{
    struct opts *o = c->opts;
    const struct player_opts po = {
        .audio = opts_text(o, "audio"),
        .soundfont = opts_text(o, "soundfont"),
        .midi_out = opts_text(o, "midi-out"),
        .gain_db = opts_real(o, "gain"),
    };
    struct player *player = NULL;
    enum err err = player_new(&po, &player);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_DEVICE, err);
    int code = EXIT_OK;
    bool silence = po.midi_out || str_same(po.audio, "none"); /* asked for, or heard elsewhere */
    if (player_wait(player) == PLAYER_SILENT && !silence) {
        (void)err_set(ERR_DEVICE, "%s", player_note(player));
        code = cli_fail(c, STAGE_DEVICE, ERR_DEVICE);
    } else {
        const atomic_bool *stop = cli_interrupt();
        int32_t end = song_bar_tick(song, song_n_bars(song));
        cli_note(c, "%s; %.1f s, Ctrl-C stops", player_note(player), song_seconds(song, end));
        player_set_song(player, song);
        if (opts_flag(o, "loop"))
            player_set_loop(player, 0, end);
        player_set_clock(player, opts_flag(o, "clock"));
        player_set_click(player, opts_flag(o, "click"));
        player_play_part(player, 0, 0, (int)opts_int(o, "count-in"));
        do
            clock_sleep_until(clock_ns() + 20000000u);
        while (player_playing(player) && !atomic_load(stop));
        if (atomic_load(stop))
            code = EXIT_INTERRUPTED;
        player_stop(player);
    }
    player_free(player);
    return code;
}

static int run_play(struct cli *c)
{
    struct song *song = NULL;
    enum err err = cli_load(c, opts_arg(c->opts, 0), &song, NULL);
    if (err == ERR_OK && song_end(song) == 0)
        err = err_set(ERR_EMPTY, "%s holds no notes", opts_arg(c->opts, 0));
    int code = err != ERR_OK ? cli_fail(c, STAGE_INPUT, err) : play_song(c, song);
    song_free(song);
    return code;
}

static const struct opt options[] = {
    {"midi-out", 0, OPT_TEXT, 0, 0, NULL, NULL, "NAME", "a MIDI port; see `jamroll devices`"},
    {"audio", 0, OPT_TEXT, 0, 0, "auto", NULL, "DRIVER", "pulseaudio, alsa, ...; none: a silent clock"},
    {"soundfont", 0, OPT_TEXT, 0, 0, NULL, NULL, "FILE", "default: the first found"},
    {"gain", 0, OPT_REAL, -60, 20, "-8", NULL, "DB", "synthesizer gain"},
    {"clock", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "MIDI clock, start and stop to the port"},
    {"click", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "with a metronome"},
    {"count-in", 0, OPT_INT, 0, 4, "0", NULL, "BARS", "of clicks before the first bar"},
    {"loop", 'l', OPT_FLAG, 0, 0, NULL, NULL, NULL, "over and over"},
    OPT_SECTION,
    OPT_COMMON,
};

const struct command cmd_play = {"play", "IN", "play through the SoundFont or a MIDI port", OPTIONS_OF(options), 1, 1,
                                 run_play};
