/* act_band.c: the band: what is kept, muted, asked for; generation; takes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "act_style.h"
#include "clock.h"
#include "rng.h"

/* ---- flags ---- */

/* keep [bar|track|all]: toggles; in a selection its cells. On unless all of them are on already. */
enum err act_keep(struct desk *d, int argc, char **argv)
{
    struct span s = desk_selection(d);
    bool bar = argc > 0 && str_same(argv[0], "bar"), all = argc > 0 && str_same(argv[0], "all");
    if (d->mode != MODE_SELECT && !bar) {
        s.bar0 = 0;
        s.bar1 = session_n_bars(d->session) - 1;
    }
    if (all) {
        s.track0 = 0;
        s.track1 = N_ROLES - 1;
    }
    bool on = false;
    for (int r = s.track0; r <= s.track1; r++)
        for (int b = s.bar0; b <= s.bar1; b++)
            on |= !session_kept(d->session, (enum role)r, b);
    session_edit_begin(d->session, on ? "keep" : "let go");
    for (int r = s.track0; r <= s.track1; r++)
        for (int b = s.bar0; b <= s.bar1; b++)
            session_keep(d->session, (enum role)r, b, on);
    session_edit_end(d->session);
    desk_say(d, "%s %s%s, bars %d-%d", on ? "keep" : "let go of", role_name((enum role)s.track0),
             s.track1 > s.track0 ? " and more" : "", s.bar0 + 1, s.bar1 + 1);
    d->mode = d->mode == MODE_SELECT ? MODE_NORMAL : d->mode;
    return ERR_OK;
}

enum err act_let_go(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    session_edit_begin(d->session, "let go");
    for (int r = 0; r < N_ROLES; r++)
        session_keep(d->session, (enum role)r, -1, false);
    session_edit_end(d->session);
    desk_say(d, "nothing is kept");
    return ERR_OK;
}

/* Mute and solo are one thing on two fields: of the focused or named track, or off for all. */
static bool *flag_of(struct track *t, bool solo)
{
    return solo ? &t->solo : &t->mute;
}

static enum err toggle(struct desk *d, bool solo, int argc, char **argv)
{
    enum role role = (enum role)d->track;
    if (argc > 0 && !role_parse(argv[0], &role))
        return err_set(ERR_MISSING, "no track \"%s\"", argv[0]);
    bool *flag = flag_of(&session_song(d->session)->tracks[role], solo);
    session_edit_begin(d->session, solo ? "solo" : "mute");
    *flag = !*flag;
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    desk_say(d, "%s %s %s", role_name(role), solo ? "solo" : "mute", *flag ? "on" : "off");
    return ERR_OK;
}

static enum err all_off(struct desk *d, bool solo)
{
    struct song *song = session_song(d->session);
    session_edit_begin(d->session, solo ? "no solo" : "no mute");
    for (int r = 0; r < N_ROLES; r++)
        *flag_of(&song->tracks[r], solo) = false;
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    return ERR_OK;
}

enum err act_mute(struct desk *d, int argc, char **argv)
{
    return toggle(d, false, argc, argv);
}
enum err act_solo(struct desk *d, int argc, char **argv)
{
    return toggle(d, true, argc, argv);
}

enum err act_unmute(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return all_off(d, false);
}

enum err act_unsolo(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    return all_off(d, true);
}

/* ---- settings of the next request ---- */

/* A name of the model's list, "any", or "next" and "prev" through both. */
enum err act_genre(struct desk *d, int argc, char **argv)
{
    (void)argc;
    struct settings *o = session_settings(d->session);
    const struct model_info *m = desk_model(d);
    int n = m ? m->n_genres : 0, now = -1, want = -2;
    for (int i = 0; i < n; i++) {
        now = str_same(m->genres[i], o->genre) ? i : now;
        want = str_same(m->genres[i], argv[0]) ? i : want;
    }
    if (str_same(argv[0], "any"))
        want = -1;
    else if (str_same(argv[0], "next"))
        want = now + 1 < n ? now + 1 : -1;
    else if (str_same(argv[0], "prev"))
        want = now >= 0 ? now - 1 : n - 1;
    if (want < -1)
        return m ? err_set(ERR_MISSING, "%s does not know the genre \"%s\"", m->name, argv[0])
                 : err_set(ERR_MISSING, "no model was found, so there are no genres");
    str_copy(o->genre, sizeof o->genre, want < 0 ? "any" : m->genres[want]);
    desk_say(d, "genre %s", o->genre);
    return ERR_OK;
}

enum err act_model(struct desk *d, int argc, char **argv)
{
    (void)argc;
    struct settings *o = session_settings(d->session);
    bool best = str_same(argv[0], "best");
    size_t i = 0;
    while (!best && i < d->n_models && !str_same(d->models[i].name, argv[0]))
        i++;
    if (!best && i == d->n_models)
        return err_set(ERR_MISSING, "no model \"%s\" (%zu found)", argv[0], d->n_models);
    str_copy(o->model, sizeof o->model, best ? "" : argv[0]);
    const struct model_info *m = desk_model(d);
    session_set_genres(d->session, m ? m->genres : NULL, m ? m->n_genres : 0);
    desk_say(d, "model %s", m ? m->name : "-");
    return ERR_OK;
}

enum err act_tone(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    struct key k;
    struct str text = {0};
    for (int i = 0; i < argc; i++)
        str_addf(&text, "%s%s", i ? " " : "", argv[i]);
    enum err err =
        key_parse(str_c(&text), &k)
            ? ERR_OK
            : err_set(ERR_FORMAT, "no key \"%s\": want C, Am, F#, \"Bb minor\" or auto", str_c(&text));
    str_fini(&text);
    TRY(err);
    if (k.tonic < 0)
        str_copy(o->key, sizeof o->key, "auto");
    else
        key_print(k, o->key);
    desk_say(d, "key %s", o->key);
    return ERR_OK;
}

enum err act_temperature(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    (void)argc;
    TRY(parse_double(argv[0], 0.05, 3.0, &o->temperature));
    desk_say(d, "temperature %.2f", o->temperature);
    return ERR_OK;
}

/* A number fixes the seed, "random" draws one and lets it move on after every request. */
enum err act_seed(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    int64_t seed = 0;
    (void)argc;
    if (str_same(argv[0], "random"))
        seed = (int64_t)(rng_entropy() % 100000);
    else if (str_same(argv[0], "lock") || str_same(argv[0], "free"))
        seed = (int64_t)o->seed;
    else
        TRY(parse_int(argv[0], 0, INT64_MAX / 2, &seed));
    o->seed = (uint64_t)seed;
    o->seed_locked = !str_same(argv[0], "random") && !str_same(argv[0], "free");
    desk_say(d, "seed %lld%s", (long long)seed, o->seed_locked ? " (fixed)" : "");
    return ERR_OK;
}

enum err act_batch(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    (void)argc;
    TRY(arg_int(argv[0], 1, 32, &o->batch));
    desk_say(d, "%d takes a request", o->batch);
    return ERR_OK;
}

enum err act_density(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    int n = -1;
    (void)argc;
    if (!str_same(argv[0], "auto"))
        TRY(arg_int(argv[0], 1, 7, &n));
    o->density[d->track] = n;
    desk_say(d, "%s density %s", role_name((enum role)d->track), n < 0 ? "auto" : argv[0]);
    return ERR_OK;
}

/* "C3 C6", "C3 C6 strict" or "auto", in one argument or several. */
enum err act_range(struct desk *d, int argc, char **argv)
{
    struct pitch_range *range = &session_settings(d->session)->range[d->track];
    char text[64] = "", lo[8] = "", hi[8] = "", how[8] = "";
    const char *who = role_name((enum role)d->track);
    int a, b, end = 0;
    for (int i = 0; i < argc; i++)
        str_format(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", argv[i]);
    if (str_same(text, "auto")) {
        *range = (struct pitch_range){0};
        desk_say(d, "%s: any pitch", who);
        return ERR_OK;
    }
    if (desk_drums(d))
        return err_set(ERR_UNSUPPORTED, "the kit has no range");
    int n = sscanf(text, "%7s %7s %7s %n", lo, hi, how, &end);
    bool known = n == 2 || (n == 3 && !text[end] && (str_same(how, "strict") || str_same(how, "loose")));
    if (!known || !pitch_parse(lo, d->middle_c, &a) || !pitch_parse(hi, d->middle_c, &b) || a + 3 > b)
        return err_set(ERR_FORMAT, "range \"%s\": want two pitches upwards, C3 C6, perhaps \"strict\", or auto", text);
    *range = (struct pitch_range){(uint8_t)a, (uint8_t)b, str_same(how, "strict")};
    desk_say(d, "%s from %s to %s, %s", who, lo, hi, range->strict ? "and never beyond" : "seldom beyond");
    return ERR_OK;
}

enum err act_snap(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    if (argc > 0 && !str_same(argv[0], "on") && !str_same(argv[0], "off"))
        return err_set(ERR_FORMAT, "snap is on or off, not \"%s\"", argv[0]);
    o->snap = argc > 0 ? str_same(argv[0], "on") : !o->snap;
    desk_say(d, "the model %s", o->snap ? "plays only notes of the key" : "may leave the key");
    return ERR_OK;
}

/* ---- generation ---- */

/* What will be worked on: the selection's bars, the loop, or the whole song. */
void band_span(const struct desk *d, int *bar0, int *n_bars)
{
    struct span s = desk_selection(d);
    const struct song *song = session_song(d->session);
    *bar0 = 0;
    *n_bars = session_n_bars(d->session);
    if (d->mode == MODE_SELECT) {
        *bar0 = s.bar0;
        *n_bars = s.bar1 - s.bar0 + 1;
    } else if (d->loop) {
        *bar0 = song_bar_of(song, d->loop_from);
        *n_bars = song_bar_of(song, d->loop_to - 1) - *bar0 + 1;
    }
}

/* "accompany: Piano kept -> Drums Guitar Bass" */
static void say_request(struct desk *d, const struct request *rq)
{
    struct str who = {0};
    for (int r = 0; r < N_ROLES; r++) {
        int open = 0;
        for (int bar = 0; bar < rq->n_bars; bar++)
            open += !rq->keep[r][bar];
        if (open && !rq->silent[r])
            str_addf(&who, " %s", role_name((enum role)r));
    }
    desk_say(d, "%s: bars %d-%d of%s, seed %llu", verb_name(rq->verb), rq->bar0 + 1, rq->bar0 + rq->n_bars,
             str_c(&who), (unsigned long long)rq->seed);
    str_fini(&who);
}

static int open_cells(const struct request *rq)
{
    int open = 0;
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < rq->n_bars; bar++)
            open += !rq->keep[r][bar] && !rq->silent[r];
    return open;
}

/* A genre is asked of who knows it: the chosen model, or the best one, only if it transfers at all. */
static const char *who_answers(const struct desk *d, enum verb v)
{
    const struct settings *o = session_settings(d->session);
    const struct model_info *m = desk_model(d);
    return o->model[0] && (v != VERB_TRANSFER || (m && m->verbs & 1u << v)) ? o->model : NULL;
}

enum err band_submit(struct desk *d, struct request *rq, int lead)
{
    struct settings *o = session_settings(d->session);
    if (d->job >= 0)
        return err_set(ERR_BUSY, "the band is still playing; Ctrl-C stops it");
    if (open_cells(rq) == 0)
        return err_set(ERR_EMPTY, "nothing to fill: everything is kept or muted (F lets go)");
    if (!d->doors.submit)
        return err_set(ERR_UNSUPPORTED, "no model here");
    TRY(style_request(d, rq));
    TRY(d->doors.submit(d->doors.ctx, who_answers(d, rq->verb), rq, &d->job));
    session_begin_takes(d->session, rq, lead);
    d->verb = rq->verb;
    d->job_bar0 = rq->bar0 - lead;
    d->job_bars = rq->n_bars;
    d->job_takes = rq->n_takes;
    d->job_got = d->job_empty = d->job_twins = 0;
    d->job_chosen = false;
    d->job_began = clock_s();
    if (!o->seed_locked)
        o->seed += (uint64_t)o->batch;
    say_request(d, rq);
    if (d->mode == MODE_SELECT)
        d->mode = MODE_NORMAL;
    return ERR_OK;
}

static enum err submit(struct desk *d, struct request *rq)
{
    return band_submit(d, rq, 0);
}

enum err act_generate(struct desk *d, int argc, char **argv)
{
    struct request rq;
    int bar0, n_bars;
    (void)argc, (void)argv;
    band_span(d, &bar0, &n_bars);
    session_request(d->session, VERB_GENERATE, bar0, n_bars, &rq);
    return submit(d, &rq);
}

/* With nothing kept the focused track is meant: it is kept first, as a step that undo takes back. */
enum err act_accompany(struct desk *d, int argc, char **argv)
{
    struct request rq;
    int bar0, n_bars;
    (void)argc, (void)argv;
    band_span(d, &bar0, &n_bars);
    if (!session_any_kept(d->session, bar0, n_bars)) {
        if (desk_track(d)->n == 0)
            return err_set(ERR_EMPTY, "keep a track first: f on one that has notes");
        session_keep(d->session, (enum role)d->track, -1, true);
    }
    session_request(d->session, VERB_ACCOMPANY, bar0, n_bars, &rq);
    return submit(d, &rq);
}

void band_keep_outside(const struct desk *d, struct request *rq)
{
    struct span s = desk_selection(d);
    for (int r = 0; r < N_ROLES; r++) {
        bool inside = r >= s.track0 && r <= s.track1;
        for (int bar = 0; bar < rq->n_bars; bar++)
            if (!inside || rq->bar0 + bar < s.bar0 || rq->bar0 + bar > s.bar1)
                rq->keep[r][bar] = 1;
    }
}

/* The selected cells, or the one under the cursor, anew; all else is context. The model works in phrases of
 * four bars, so the span is widened to them and the rest of it kept. */
enum err act_infill(struct desk *d, int argc, char **argv)
{
    struct request rq;
    struct span s = desk_selection(d);
    (void)argc, (void)argv;
    int bar0 = s.bar0 - s.bar0 % 4, bar1 = s.bar1 - s.bar1 % 4 + 4, last = session_n_bars(d->session);
    session_request(d->session, VERB_INFILL, bar0, (bar1 < last ? bar1 : last) - bar0, &rq);
    band_keep_outside(d, &rq);
    if (open_cells(&rq) == 0)
        return err_set(ERR_EMPTY, "that is kept or muted; nothing to do again");
    return submit(d, &rq);
}

/* 3 and 0.3 are the same distance. */
enum err act_distance(struct desk *d, int argc, char **argv)
{
    double x;
    (void)argc;
    TRY(parse_double(argv[0], 0, 9, &x));
    session_settings(d->session)->distance = x > 1 || (x == 1 && !strchr(argv[0], '.')) ? x / 10 : x;
    desk_say(d, "variations at distance %.2f: %.0f %% of the open bars anew", session_settings(d->session)->distance,
             100 * session_settings(d->session)->distance);
    return ERR_OK;
}

/* What sounds now, some of it anew: of the selected cells where there is a selection. */
enum err act_vary(struct desk *d, int argc, char **argv)
{
    struct request rq;
    int bar0, n_bars;
    if (argc > 0)
        TRY(act_distance(d, argc, argv));
    band_span(d, &bar0, &n_bars);
    session_request(d->session, VERB_VARY, bar0, n_bars, &rq);
    if (d->mode == MODE_SELECT)
        band_keep_outside(d, &rq);
    return submit(d, &rq);
}

/* Steps that divide the way from A to B evenly; the ends are there already. */
enum err act_interpolate(struct desk *d, int argc, char **argv)
{
    struct request rq;
    int n = 9;
    if (argc > 0)
        TRY(arg_int(argv[0], 1, 32, &n));
    TRY(session_request_way(d->session, 1.0 / (n + 1), 1.0 / (n + 1), n, &rq));
    rq.seed = session_settings(d->session)->seed;
    TRY(submit(d, &rq));
    desk_say(d, "interpolate: %d steps from take %d to take %d; , and . go along them", n,
             session_take_number(d->session, session_marked(d->session, 0)),
             session_take_number(d->session, session_marked(d->session, 1)));
    return ERR_OK;
}

/* The last request with the next seed, also when the seed is fixed. */
enum err act_again(struct desk *d, int argc, char **argv)
{
    static act_fn *const by_verb[N_VERBS] = {[VERB_INFILL] = act_infill,
                                             [VERB_ACCOMPANY] = act_accompany,
                                             [VERB_CONTINUE] = act_go_on,
                                             [VERB_VARY] = act_vary,
                                             [VERB_INTERPOLATE] = act_interpolate,
                                             [VERB_TRANSFER] = act_transfer_again};
    struct settings *o = session_settings(d->session);
    if (d->job < 0 && o->seed_locked)
        o->seed += (uint64_t)o->batch;
    return (by_verb[d->verb] ? by_verb[d->verb] : act_generate)(d, argc, argv);
}

enum err act_cancel(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (d->job >= 0 && d->doors.cancel) {
        d->doors.cancel(d->doors.ctx, d->job);
        desk_say(d, "cancelling...");
    } else if (desk_suggesting(d)) {
        desk_drop_suggestion(d);
    } else if (d->rendering && d->doors.cancel_render) {
        d->doors.cancel_render(d->doors.ctx);
        desk_say(d, "cancelling the export...");
    } else {
        d->mode = MODE_NORMAL;
        desk_say(d, "q quits, ? helps");
    }
    return ERR_OK;
}

/* ---- takes ---- */

static int take_index(const struct session *s, int number)
{
    for (int i = 0; i < session_n_takes(s); i++)
        if (session_take_number(s, i) == number)
            return i;
    return -1;
}

static void choose(struct desk *d, int i)
{
    session_choose(d->session, i);
    d->stale = STALE_BAR;
    const struct take *t = session_take(d->session, i);
    if (t)
        desk_say(d, "take %d: seed %llu %s%s", session_take_number(d->session, i),
                 (unsigned long long)t->seed, t->params, t->empty ? "  (a track came out empty)" : "");
    else
        desk_say(d, "as it was before");
}

/* A number as shown; 0 is the music as it was before; next, prev. */
enum err act_take(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int n = session_n_takes(d->session), now = session_current(d->session), number = 0, want;
    if (n == 0)
        return err_set(ERR_EMPTY, "no takes yet: g a lets the band accompany, g g plays something new");
    if (str_same(argv[0], "next"))
        want = now + 1 < n ? now + 1 : now;
    else if (str_same(argv[0], "prev"))
        want = now >= 0 ? now - 1 : -1;
    else if (str_same(argv[0], "here"))
        want = desk_take(d);
    else {
        TRY(arg_int(argv[0], 0, INT32_MAX, &number));
        want = number ? take_index(d->session, number) : -1;
        if (number && want < 0)
            return err_set(ERR_MISSING, "no take %d", number);
    }
    choose(d, want);
    return ERR_OK;
}

enum err act_mark(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int now = desk_take(d);
    if (now < 0)
        return err_set(ERR_EMPTY, "no take to mark");
    bool b = argv[0][0] == 'B' || argv[0][0] == 'b';
    session_mark(d->session, b, now);
    desk_say(d, "take %d is %s", session_take_number(d->session, now), b ? "B" : "A");
    return ERR_OK;
}

/* Along the way from A to B: a place, or a tenth on or back. A place where no take is yet is asked for; a step
 * that is still being written gives way to the next one. */
enum err act_mix(struct desk *d, int argc, char **argv)
{
    double at = session_mix(d->session), to;
    if (at < 0 && transfer_slider(d) >= 0 && argv[0][1] == '\0' && strchr("+-", argv[0][0]))
        return transfer_slide(d, argv[0][0] == '+' ? 1 : -1);
    bool asking = d->job >= 0 && d->verb == VERB_INTERPOLATE && d->job_takes == 1;
    struct request rq;
    (void)argc;
    at = asking ? d->mix : at < 0 ? 0.5 : at;
    if (str_same(argv[0], "+") || str_same(argv[0], "-"))
        to = floor(at * 10 + (argv[0][0] == '+' ? 1 : -1) + 0.5) / 10;
    else
        TRY(parse_double(argv[0], 0, 1, &to));
    to = to < 0 ? 0 : to > 1 ? 1 : to;
    TRY(session_request_way(d->session, to, 0, 1, &rq));
    if (asking && d->doors.cancel) {
        d->doors.cancel(d->doors.ctx, d->job);
        d->job = -1;
    }
    d->mix = to;
    int there = session_take_at(d->session, to);
    if (there >= 0)
        choose(d, there);
    else
        TRY(submit(d, &rq));
    desk_say(d, "%.2f of the way from A to B", to);
    return ERR_OK;
}

enum err act_flip(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    int a = session_marked(d->session, 0), b = session_marked(d->session, 1);
    if (a < 0 || b < 0)
        return err_set(ERR_EMPTY, "mark two takes first: A and B");
    choose(d, session_current(d->session) == a ? b : a);
    return ERR_OK;
}

enum err act_star(struct desk *d, int argc, char **argv)
{
    (void)argc, (void)argv;
    int now = desk_take(d);
    if (now < 0)
        return err_set(ERR_EMPTY, "no take to star");
    session_star(d->session, now);
    desk_say(d, "take %d %s", session_take_number(d->session, now),
             session_take(d->session, now)->star ? "starred: it will not be dropped" : "unstarred");
    return ERR_OK;
}
