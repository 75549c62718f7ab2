/* loop.c: the screen's one loop. It polls keys, signals, the engine, work aside and a frame timer that only
 * runs while something moves; whatever wakes it changes the desk, and then one frame is drawn if it must.
 * Nothing here waits for a model, a SoundFont or a file. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "file.h"
#include "journal.h"
#include "keycode.h"
#include "log.h"
#include "mem.h"
#include "player.h"
#include "pool.h"
#include "rc.h"
#include "rng.h"
#include "screen.h"
#include "stem.h"
#include "tui.h"
#include "view.h"
#include "wav.h"
#include "work.h"

enum { FRAME_MS = 33, FOLLOW_AFTER_S = 3 };
enum { FD_KEYS, FD_SIGNALS, FD_TIMER, FD_ENGINE, FD_RENDER, FD_HEARD, N_FDS };

struct tui {
    const struct tui_opts *opts;
    struct desk desk;
    struct ui ui;
    struct engine *engine;
    struct player *player;
    struct work render;
    struct song *render_song; /* belongs to `render` until it is joined */
    char *render_path;
    bool render_stems;
    struct render_opts render_opts;
    int n_stems;
    struct render_report report;
    int signals, timer;
    sigset_t old_mask;
    bool ticking, leave;
    int died_of; /* signal that ends us, 0 none */
    double last_key;
    char *history;
    struct journal *journal;
    struct orphan orphan; /* path NULL: nothing to recover */
    char asked[160];
    char noted[256]; /* last message that went to the log */
};

/* ---- doors: what commands may ask for ---- */

static enum err door_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    struct tui *t = ctx;
    return engine_submit(t->engine, model, rq, job);
}

static void door_cancel(void *ctx, int job)
{
    struct tui *t = ctx;
    engine_cancel(t->engine, job);
}

static void show_song(struct tui *t)
{
    struct song *music = desk_music(&t->desk);
    if (t->desk.play_tracks)
        player_set_tracks(t->player, music, t->desk.play_tracks);
    else
        player_set_song(t->player, music);
    song_free(music);
    t->desk.stale = STALE_NO;
}

static enum err door_play(void *ctx, int32_t from)
{
    struct tui *t = ctx;
    TRY(desk_music_tick(&t->desk, &from));
    show_song(t);
    player_set_loop(t->player, t->desk.loop_from, t->desk.loop ? t->desk.loop_to : 0);
    player_play_part(t->player, from, t->desk.play_to, t->desk.playing ? 0 : t->desk.sound.count_in);
    t->desk.playing = true;
    t->desk.heard_bar = -1;
    return ERR_OK;
}

static void door_stop(void *ctx)
{
    struct tui *t = ctx;
    player_stop(t->player);
    t->desk.playing = false;
}

static void door_panic(void *ctx)
{
    struct tui *t = ctx;
    player_panic(t->player);
}

static void door_loop(void *ctx, int32_t from, int32_t to)
{
    struct tui *t = ctx;
    player_set_loop(t->player, from, to);
}

static void door_audition(void *ctx, int channel, int program, int pitch, int vel)
{
    struct tui *t = ctx;
    player_audition(t->player, channel, program, pitch, vel, 200);
}

static bool render_progress(void *ctx, double fraction)
{
    struct work *w = ctx;
    atomic_store(&w->progress, (int)(1000 * fraction));
    return !atomic_load(&w->cancel);
}

static enum err render_run(struct work *w, void *arg)
{
    struct tui *t = arg;
    t->render_opts.on_progress = render_progress;
    t->render_opts.ctx = w;
    if (t->render_stems)
        return stems_render(t->render_song, &t->render_opts, t->render_path, &t->report, &t->n_stems);
    return render_file(t->render_song, &t->render_opts, t->render_path, &t->report);
}

static enum err start_render(struct tui *t, const struct song *song, const char *path, bool stems)
{
    t->render_stems = stems;
    t->render_song = song_dup(song);
    t->render_path = xstrdup(path);
    t->desk.rendering = true;
    return work_start(&t->render, render_run, t);
}

static enum err door_render(void *ctx, const struct song *song, const struct render_opts *o, const char *path)
{
    ((struct tui *)ctx)->render_opts = *o;
    return start_render(ctx, song, path, false);
}

static enum err door_render_stems(void *ctx, const struct song *song, const char *path)
{
    render_opts_init(&((struct tui *)ctx)->render_opts);
    return start_render(ctx, song, path, true);
}

static void door_cancel_render(void *ctx)
{
    struct tui *t = ctx;
    atomic_store(&t->render.cancel, true);
}

static void render_over(struct tui *t)
{
    work_join(&t->render);
    t->desk.rendering = false;
    if (t->render.err == ERR_OK && t->render_stems)
        desk_say(&t->desk, "wrote %d stems of %s: peak %.1f dB", t->n_stems, t->render_path,
                 t->report.peak_db);
    else if (t->render.err == ERR_OK)
        desk_say(&t->desk, "wrote %s: %.1f s, peak %.1f dB", t->render_path, t->report.seconds,
                 t->report.peak_db);
    else if (t->render.err == ERR_CANCELLED)
        desk_say(&t->desk, "export cancelled");
    else {
        desk_say(&t->desk, "%s", t->render.text);
        t->desk.message_bad = true;
    }
    song_free(t->render_song);
    free(t->render_path);
    t->render_song = NULL;
    t->render_path = NULL;
}

/* ---- what a command wants of its front end ---- */

static void open_prompt(struct tui *t)
{
    t->ui.over = OVER_PROMPT;
    prompt_begin(&t->ui.prompt, &t->desk, t->desk.want_text);
}

static void go_to_shell(struct tui *t)
{
    door_stop(t);
    player_settle(t->player);
    screen_suspend();
}

static void open_help(struct tui *t)
{
    struct str text = {0};
    int w, h;
    screen_size(&w, &h);
    command_help(w - 2, &text);
    ui_page(&t->ui, "jamroll: keys and commands", &text);
    str_fini(&text);
}

/* Oldest first, opened at its end: the news is there. */
static void open_log(struct tui *t)
{
    static const char *const level[] = {"debug", "info", "warning", "ERROR"};
    struct str text = {0};
    char line[256];
    int n = 0, l;
    while (log_last(n, line, sizeof line) >= 0)
        n++;
    for (int i = n - 1; i >= 0; i--)
        if ((l = log_last(i, line, sizeof line)) >= 0)
            str_addf(&text, "  %-8s %s\n", level[l], line);
    if (n == 0)
        str_add(&text, "  nothing was noted\n");
    ui_page(&t->ui, "log", &text);
    ui_scroll_page(&t->ui, n);
    str_fini(&text);
}

static void serve_want(struct tui *t)
{
    enum want want = t->desk.want;
    if (want == WANT_IMPORT && t->ui.over != OVER_NONE) /* one question at a time */
        return;
    t->desk.want = WANT_NOTHING;
    switch (want) {
    case WANT_NOTHING:
        break;
    case WANT_QUIT:
        t->leave = true;
        break;
    case WANT_ASK_QUIT:
        t->ui.over = OVER_ASK_QUIT;
        break;
    case WANT_PROMPT:
        open_prompt(t);
        break;
    case WANT_HELP:
        open_help(t);
        break;
    case WANT_REPORT:
        ui_page(&t->ui, "what opening the file did", &t->desk.report);
        break;
    case WANT_IMPORT:
        import_ask(&t->ui);
        break;
    case WANT_PALETTE:
    case WANT_FIND:
    case WANT_FILES:
        t->ui.over = OVER_PICK;
        pick_begin(&t->ui.pick, &t->desk,
                   want == WANT_FILES  ? PICK_FILES
                   : want == WANT_FIND ? PICK_FIND
                                       : PICK_PALETTE);
        break;
    case WANT_LOG:
        open_log(t);
        break;
    case WANT_SUSPEND:
        go_to_shell(t);
        break;
    case WANT_REDRAW:
        screen_redraw();
        break;
    }
}

/* ---- keys ---- */

/* The new journal has everything before the old one goes. */
static enum err recover(struct tui *t)
{
    TRY(desk_recover(&t->desk, t->orphan.path));
    TRY(journal_update(t->journal, t->desk.session));
    orphan_discard(&t->orphan);
    t->desk.want = WANT_NOTHING; /* what the command line named would take its place */
    desk_say(&t->desk, "recovered %s: not saved yet", t->asked);
    orphan_fini(&t->orphan);
    return ERR_OK;
}

static void serve_answer(struct tui *t, enum answer answer)
{
    if (answer == ANSWER_LEAVE)
        t->leave = true;
    else if (answer == ANSWER_RECOVER && recover(t) != ERR_OK)
        desk_complain(&t->desk);
    else if (answer == ANSWER_DISCARD)
        orphan_discard(&t->orphan);
}

static void keep_journal(struct tui *t)
{
    if (journal_update(t->journal, t->desk.session) != ERR_OK)
        desk_complain(&t->desk);
}

static void on_key(struct tui *t, int key)
{
    t->last_key = clock_s();
    if (key == KC_POINTER) {
        ui_pointer(&t->ui, screen_pointer());
        serve_want(t);
        keep_journal(t);
        return;
    }
    const struct binding *b = binding_find(KEYS_NORMAL, key, KC_NONE);
    bool anywhere = b && (str_same(b->action->name, "suspend") || str_same(b->action->name, "redraw"));
    if (anywhere)
        command_key(&t->desk, key);
    else if (t->ui.over != OVER_NONE)
        serve_answer(t, over_key(&t->ui, key));
    else
        command_key(&t->desk, key);
    serve_want(t);
    keep_journal(t);
}

/* ---- frames ---- */

static bool moving(const struct tui *t)
{
    return t->desk.playing || t->desk.job >= 0 || t->desk.rendering ||
           (t->player && player_state(t->player) == PLAYER_LOADING);
}

static void set_ticking(struct tui *t)
{
    bool want = moving(t);
    struct itimerspec every = {0};
    if (want == t->ticking)
        return;
    if (want)
        every.it_value.tv_nsec = every.it_interval.tv_nsec = FRAME_MS * 1000000L;
    timerfd_settime(t->timer, 0, &every, NULL);
    t->ticking = want;
}

/* Meters fall slowly, so that the eye can follow. */
static void fall(float *meter, float now)
{
    *meter = now > *meter * 0.8f ? now : *meter * 0.8f;
}

static void port_text(char out[64], bool (*now)(const struct player *, struct str *), const struct player *p)
{
    struct str name = {0};
    bool there = now(p, &name);
    str_format(out, 64, "%s%s", name.len ? str_c(&name) : "-", there || !name.len ? "" : " (away)");
    str_fini(&name);
}

static void look_at_levels(struct tui *t)
{
    float level[2];
    player_levels(t->player, &level[0], &level[1]);
    for (int i = 0; i < 2; i++)
        fall(&t->ui.level[i], level[i]);
    const struct song *song = session_song(t->desk.session);
    for (int r = 0; r < N_ROLES; r++)
        fall(&t->ui.meter[r], (float)player_hit(t->player, song->tracks[r].channel) / 127);
    t->ui.counting = player_counting(t->player);
    port_text(t->ui.midi_out, player_midi_out, t->player);
    port_text(t->ui.midi_in, player_midi_in, t->player);
}

static void on_heard(struct tui *t)
{
    struct heard h;
    while (player_heard(t->player, &h))
        desk_heard(&t->desk, &h);
}

/* The screen goes with the sound when nobody has pressed a key for a while. */
static bool follows(const struct tui *t)
{
    return t->desk.playing && clock_s() - t->last_key > FOLLOW_AFTER_S;
}

static void follow_player(struct tui *t)
{
    struct desk *d = &t->desk;
    if (!t->player)
        return;
    bool was = d->playing;
    d->playing = player_playing(t->player);
    if (d->playing)
        desk_hear(d, player_tick(t->player), follows(t));
    else if (was && !d->play_tracks)
        desk_played_out(d); /* a stop by hand leaves the playhead where it was */
    desk_moved(d);
    player_set_hand(t->player, desk_track(d)->channel, desk_track(d)->program);
    if (desk_must_show(d))
        show_song(t);
    str_copy(t->ui.sound, sizeof t->ui.sound, player_note(t->player));
    look_at_levels(t);
}

/* What was said goes by; `:log` has it still. */
static void note_message(struct tui *t)
{
    const struct desk *d = &t->desk;
    if (!str_same(t->noted, d->message) && d->message[0])
        log_msg(d->message_bad ? LOG_WARN : LOG_INFO, "%s", d->message);
    str_copy(t->noted, sizeof t->noted, d->message);
}

static void draw(struct tui *t)
{
    struct grid g;
    int w, h;
    t->desk.progress = t->engine ? engine_progress(t->engine) : -1;
    t->desk.render_progress = atomic_load(&t->render.progress) / 1000.0;
    screen_mouse(t->desk.mouse && !t->opts->no_mouse);
    t->ui.follow = follows(t);
    screen_size(&w, &h);
    grid_init(&g, w, h, screen_ascii());
    ui_draw(&t->ui, &g);
    screen_draw(&g);
    grid_fini(&g);
}

/* ---- events ---- */

static void on_engine(struct tui *t)
{
    struct event ev;
    while (engine_next(t->engine, &ev)) {
        desk_event(&t->desk, &ev);
        event_fini(&ev);
    }
}

static void on_signal(struct tui *t)
{
    struct signalfd_siginfo info;
    while (read(t->signals, &info, sizeof info) == (ssize_t)sizeof info)
        switch (info.ssi_signo) {
        case SIGWINCH:
            screen_resized();
            break;
        case SIGCONT:
            screen_redraw();
            break;
        case SIGTSTP:
            go_to_shell(t);
            break;
        default:
            t->died_of = (int)info.ssi_signo;
            t->leave = true;
            break;
        }
}

static void on_keys(struct tui *t, short revents)
{
    int key;
    bool any = false;
    while (!t->leave && screen_key(&key)) {
        on_key(t, key);
        any = true;
    }
    if (!any && revents & (POLLHUP | POLLERR)) {
        t->died_of = SIGHUP;
        t->leave = true;
    }
}

static void wait_and_serve(struct tui *t)
{
    struct pollfd fds[N_FDS] = {
        [FD_KEYS] = {STDIN_FILENO, POLLIN, 0},
        [FD_SIGNALS] = {t->signals, POLLIN, 0},
        [FD_TIMER] = {t->timer, POLLIN, 0},
        [FD_ENGINE] = {t->engine ? engine_fd(t->engine) : -1, POLLIN, 0},
        [FD_RENDER] = {t->render.fd, POLLIN, 0},
        [FD_HEARD] = {t->player ? player_heard_fd(t->player) : -1, POLLIN, 0},
    };
    uint64_t ticks;
    if (poll(fds, N_FDS, -1) < 0)
        return;
    if (fds[FD_SIGNALS].revents)
        on_signal(t);
    if (fds[FD_ENGINE].revents)
        on_engine(t);
    if (fds[FD_HEARD].revents)
        on_heard(t);
    if (fds[FD_RENDER].revents)
        render_over(t);
    if (fds[FD_TIMER].revents && read(t->timer, &ticks, sizeof ticks) < 0)
        log_debug("timer: %s", strerror(errno));
    if (fds[FD_KEYS].revents)
        on_keys(t, fds[FD_KEYS].revents);
}

/* ---- start and end ---- */

/* Before any thread starts: all of them inherit the mask, so signals come through the descriptor only. */
static enum err open_descriptors(struct tui *t)
{
    static const int mine[] = {SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT_OF(mine); i++)
        sigaddset(&set, mine[i]);
    pthread_sigmask(SIG_BLOCK, &set, &t->old_mask);
    t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return t->signals < 0 || t->timer < 0 ? err_set(ERR_IO, "signalfd: %s", strerror(errno)) : ERR_OK;
}

/* Without a model the screen still edits, plays and exports. */
static void start_engine(struct tui *t)
{
    if (engine_new(t->opts->device, t->opts->threads, &t->engine) != ERR_OK) {
        t->engine = NULL;
        t->desk.doors.submit = NULL;
        desk_complain(&t->desk);
    } else {
        engine_set_precision(t->engine, t->opts->precision);
    }
    str_format(t->ui.compute, sizeof t->ui.compute, "%s %d thr", t->opts->device ? t->opts->device : "cpu",
               t->opts->threads > 0 ? t->opts->threads : pool_cores());
}

static enum err start_sound(struct tui *t)
{
    struct player_opts o = {.gain_db = -8};
    const char *chosen = t->desk.sound.audio;
    o.audio = t->opts->audio ? t->opts->audio : *chosen ? chosen : "auto";
    TRY(player_new(&o, &t->player));
    desk_set_player(&t->desk, t->player);
    return ERR_OK;
}

/* The user's rc file first: it may name genres, so the models are listed before, and a project that is
 * opened brings settings of its own. */
static enum err open_song(struct tui *t, const char *path)
{
    struct desk *d = &t->desk;
    struct model_info *list = NULL;
    struct words problems = {0};
    size_t n = 0;
    desk_init(d);
    d->asks = true;
    session_settings(d->session)->seed = rng_entropy() % 100000;
    bool listed = models_list(&list, &n) == ERR_OK;
    desk_models(d, list, n);
    if (!listed)
        words_add(&problems, err_text());
    char *sound = place_path(PLACE_STATE, "sound");
    rc_run(d, sound, &problems);
    free(sound);
    rc_run(d, NULL, &problems);
    enum err err = path ? desk_open(d, path) : ERR_OK;
    if (err == ERR_OK)
        rc_tell(d, &problems);
    words_fini(&problems);
    struct settings *o = session_settings(d->session);
    if (t->opts->model)
        str_copy(o->model, sizeof o->model, t->opts->model);
    return err;
}

static void greet(struct tui *t, const char *path)
{
    struct desk *d = &t->desk;
    if (d->message_bad || d->want == WANT_IMPORT)
        return;
    if (screen_note()[0])
        desk_say(d, "%s", screen_note());
    else if (path && session_song(d->session)->n_markers > 1)
        desk_opened(d);
    else if (path)
        desk_say(d, "%s: %d bars.  f keeps a track, g a lets the band play around it",
                 session_title(d->session), session_n_bars(d->session));
    else
        desk_say(d, "an empty band.  g g plays something new, i enters notes, ? helps");
}

/* "SEED.mid from 00:12": what the last program that died had not saved. */
static enum err open_journal(struct tui *t)
{
    char when[32] = "";
    t->journal = journal_new(NULL);
    if (!journal_find(NULL, &t->orphan))
        return t->opts->recover ? err_set(ERR_MISSING, "there is nothing to recover") : ERR_OK;
    bool today = time(NULL) - t->orphan.when < 12 * 3600;
    strftime(when, sizeof when, today ? "%H:%M" : "%Y-%m-%d %H:%M", localtime(&t->orphan.when));
    str_format(t->asked, sizeof t->asked, "%s from %s", t->orphan.name, when);
    t->ui.orphan = t->asked;
    if (t->opts->recover)
        return recover(t);
    t->ui.over = OVER_ASK_RECOVER;
    return ERR_OK;
}

static enum err start(struct tui *t, const char *path)
{
    char *state = place_path(PLACE_STATE, "");
    enum err made = file_mkdirs(state);
    free(state);
    TRY(open_song(t, path));
    TRY(open_descriptors(t));
    TRY(screen_open(&(struct screen_opts){t->opts->ascii, t->opts->no_color, t->opts->no_mouse}));
    ui_init(&t->ui, &t->desk, screen_ascii());
    t->history = place_path(PLACE_STATE, "history");
    if (made == ERR_OK)
        prompt_load(&t->ui.prompt, t->history);
    TRY(start_sound(t));
    t->desk.doors = (struct doors){t,           door_submit,        door_cancel,      door_play,
                                   door_stop,   door_panic,         door_loop,        door_audition,
                                   door_render, door_cancel_render, door_render_stems};
    start_engine(t);
    greet(t, path);
    return open_journal(t);
}

static void run_loop(struct tui *t)
{
    serve_want(t);
    while (!t->leave) {
        keep_journal(t);
        follow_player(t);
        set_ticking(t);
        note_message(t);
        draw(t);
        wait_and_serve(t);
    }
    keep_journal(t);
    if (!t->died_of)
        journal_drop(t->journal);
    if (t->ui.prompt.history.n > 0)
        prompt_save(&t->ui.prompt, t->history);
}

static void finish(struct tui *t)
{
    if (work_busy(&t->render)) {
        atomic_store(&t->render.cancel, true);
        work_join(&t->render);
    }
    song_free(t->render_song);
    free(t->render_path);
    if (t->player)
        player_free(t->player);
    if (t->engine)
        engine_free(t->engine);
    ui_fini(&t->ui);
    desk_fini(&t->desk);
    free(t->history);
    journal_free(t->journal);
    orphan_fini(&t->orphan);
    if (t->signals >= 0)
        close(t->signals);
    if (t->timer >= 0)
        close(t->timer);
    pthread_sigmask(SIG_SETMASK, &t->old_mask, NULL);
}

enum err tui_run(const char *path, const struct tui_opts *opts)
{
    struct tui t = {.opts = opts, .render.fd = -1, .signals = -1, .timer = -1};
    pthread_sigmask(SIG_BLOCK, NULL, &t.old_mask);
    enum err err = start(&t, path);
    if (err == ERR_OK)
        run_loop(&t);
    int died_of = t.died_of;
    screen_close();
    if (died_of && session_dirty(t.desk.session))
        fputs("jamroll: what was not saved can be taken up at the next start\n", stderr);
    finish(&t);
    if (died_of)
        raise(died_of);
    return err;
}
