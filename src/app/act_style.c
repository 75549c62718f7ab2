/* act_style.c: the styles of the next request, for models that know composers and eras; blends of them. */
#include "act.h"
#include "act_style.h"

/* Who answers knows styles, or somebody who does is asked from now on. */
static const struct model_info *styled_model(struct desk *d)
{
    const struct model_info *m = desk_model(d);
    if (m && m->n_styles > 0)
        return m;
    for (size_t i = 0; i < d->n_models; i++)
        if (d->models[i].n_styles > 0) {
            struct settings *o = session_settings(d->session);
            str_copy(o->model, sizeof o->model, d->models[i].name);
            session_set_genres(d->session, d->models[i].genres, d->models[i].n_genres);
            return &d->models[i];
        }
    return NULL;
}

/* The style after or before the one that is set, by way of "any". */
static const char *neighbour(const struct model_info *m, const char *now, int by)
{
    int at = -1, n = m->n_styles + 1;
    for (int i = 0; i < m->n_styles; i++)
        at = str_same(m->styles[i], now) ? i : at;
    at = (at + 1 + by + n) % n - 1;
    return at < 0 ? "any" : m->styles[at];
}

enum err act_style(struct desk *d, int argc, char **argv)
{
    struct settings *o = session_settings(d->session);
    const struct model_info *m = styled_model(d);
    struct request rq;
    if (!m)
        return err_set(ERR_MISSING, "no model that knows styles was found");
    int by = str_same(argv[0], "next") ? 1 : str_same(argv[0], "prev") ? -1 : 0;
    struct str text;
    str_init(&text);
    for (int i = 0; i < argc; i++)
        str_addf(&text, "%s%s", i ? " " : "", by ? neighbour(m, o->style, by) : argv[i]);
    enum err err = request_style(&rq, str_c(&text), m->styles, m->n_styles);
    if (err == ERR_OK && !str_copy(o->style, sizeof o->style, str_c(&text)))
        err = err_set(ERR_RANGE, "that is too long for a blend of styles");
    if (err == ERR_OK)
        desk_say(d, "style %s, by %s", o->style, m->name);
    str_fini(&text);
    return err;
}

enum err style_request(const struct desk *d, struct request *rq)
{
    const struct model_info *m = desk_model(d);
    if (!m || m->n_styles == 0)
        return ERR_OK;
    return request_style(rq, session_settings(d->session)->style, m->styles, m->n_styles);
}
