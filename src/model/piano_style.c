/* piano_style.c: names of styles; see piano_style.h. */
#include "piano_style.h"
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "mem.h"
#include "stepnet.h"
#include "str.h"

enum err styles_parse(const char *text, struct styles *out)
{
    char *copy = xstrdup(text), *rest = copy, era[STYLES_MAX][32] = { { 0 } };
    enum err err = ERR_OK;
    memset(out, 0, sizeof *out);
    for (char *item = str_split(&rest, ','); item && err == ERR_OK; item = str_split(&rest, ',')) {
        char *slash = strchr(item, '/');
        if (out->n == STYLES_MAX || (slash && out->n > out->n_composers))
            err = err_set(ERR_FORMAT, "its styles are not composers and then eras, %d at most", STYLES_MAX);
        if (err != ERR_OK)
            break;
        if (slash) {
            str_copy(era[out->n], sizeof era[0], (*slash = '\0', item));
            out->n_composers++;
        }
        str_copy(out->at[out->n++].name, sizeof out->at->name, slash ? slash + 1 : item);
    }
    for (int i = 0; i < out->n && err == ERR_OK; i++) {
        int e = i < out->n_composers ? out->n_composers : i;
        while (i < out->n_composers && e < out->n && strcmp(out->at[e].name, era[i]) != 0)
            e++;
        out->at[i].era = e;
        if (e == out->n)
            err = err_set(ERR_FORMAT, "its style %s is of no era it names", out->at[i].name);
    }
    free(copy);
    return err;
}

void styles_print(const struct styles *s, struct str *out)
{
    for (int i = 0; i < s->n; i++)
        str_addf(out, "%s%s%s%s", i ? "," : "", i < s->n_composers ? s->at[s->at[i].era].name : "",
                 i < s->n_composers ? "/" : "", s->at[i].name);
}

void styles_meta(const struct styles *s, const char *family, const char *grid, const struct stepnet *net, int context,
                 struct ckpt_writer *w)
{
    const struct { const char *key; int value; } sizes[] = {
        { "option.width", net->width }, { "option.layers", net->layers }, { "option.heads", net->heads },
        { "option.mlp", net->mlp },     { "option.context", context },
    };
    struct str list;
    ckpt_writer_meta(w, "format", "jamroll 1");
    ckpt_writer_meta(w, "family", family);
    ckpt_writer_meta(w, "grid", grid);
    ckpt_writer_meta(w, "roles", "Piano");
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char text[32];
        str_format(text, sizeof text, "%d", sizes[i].value);
        ckpt_writer_meta(w, sizes[i].key, text);
    }
    str_init(&list);
    styles_print(s, &list);
    ckpt_writer_meta(w, "styles", str_c(&list));
    str_fini(&list);
}

void styles_weigh(const struct styles *s, int style, float weight, float *row)
{
    int era = s->at[style].era;
    row[style] += weight;
    if (era != style)
        row[era] += weight;
}

/* ---- in works ---- */

static int find_style(const struct styles *s, const char *name, int from, int to)
{
    for (int i = from; i < to; i++)
        if (str_same(s->at[i].name, name))
            return i;
    return -1;
}

void styles_of_works(const struct works *w, struct styles *out)
{
    int era_of[STYLES_MAX], n_eras = (int)works_n_eras(w);
    memset(out, 0, sizeof *out);
    n_eras = n_eras < STYLES_MAX / 2 ? n_eras : STYLES_MAX / 2;
    for (size_t c = 0; c < works_n_composers(w) && out->n < STYLES_MAX - n_eras; c++) {
        int n = 0;
        for (size_t i = 0; i < works_n(w); i++) {
            struct work k = works_get(w, i);
            if (k.composer != c || k.held_out)
                continue;
            era_of[out->n] = k.era;
            n++;
        }
        if (n >= STYLE_MIN_WORKS)
            str_copy(out->at[out->n++].name, sizeof out->at->name, works_composer(w, c));
    }
    out->n_composers = out->n;
    for (int e = 0; e < n_eras; e++) {
        out->at[out->n].era = out->n;
        str_copy(out->at[out->n++].name, sizeof out->at->name, works_era(w, (size_t)e));
    }
    for (int c = 0; c < out->n_composers; c++)
        out->at[c].era = out->n_composers + (era_of[c] < n_eras ? era_of[c] : 0);
}

int style_of_work(const struct works *w, const struct work *k, const struct styles *s)
{
    int style = k->composer == WORK_UNKNOWN ? -1 : find_style(s, works_composer(w, k->composer), 0, s->n_composers);
    return style >= 0 ? style : find_style(s, works_era(w, k->era), s->n_composers, s->n);
}
