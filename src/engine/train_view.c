/* train_view.c: see train_view.h. */
#include "train_view.h"
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "file.h"
#include "mem.h"

enum { MAX_LOG = 64 << 20, NAME_WIDTH = 11, VALUE_WIDTH = 24, MIN_COLUMNS = 60 };

static bool plain_characters(void)
{
    locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool plain = l == (locale_t)0 || strcmp(nl_langinfo_l(CODESET, l), "UTF-8") != 0;
    if (l != (locale_t)0)
        freelocale(l);
    return plain;
}

void train_view_open(struct train_view *v, const char *const *loss_names, int n_losses, const struct figures *data,
                     bool quiet)
{
    const char *term = getenv("TERM");
    *v = (struct train_view){ .quiet = quiet, .n_losses = n_losses, .n = n_losses, .ascii = plain_characters() };
    v->terminal = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
    for (int i = 0; i < n_losses; i++)
        v->curve[i] = (struct curve){ .name = loss_names[i], .aim = NAN };
    for (int i = 0; i < N_FIGURES && data; i++)
        v->curve[v->n++] = (struct curve){ .name = figure_names[i], .aim = data->at[i] };
}

int train_view_panel(const struct train_view *v, int columns, struct str *out)
{
    int n = 0, width = columns - NAME_WIDTH - VALUE_WIDTH;
    const char *const lines[] = { v->status, v->held_out };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (*lines[i]) {
            str_addf(out, "%.*s\n", columns - 1, lines[i]);
            n++;
        }
    curves_draw(v->curve, v->n, width > CURVE_POINTS ? CURVE_POINTS : width, v->ascii, out);
    return n + 2 * v->n;
}

/* Over what stood there: each line is followed by an erase to its end. */
static void draw_panel(struct train_view *v, int columns)
{
    struct str panel, out;
    str_init(&panel);
    str_init(&out);
    int lines = train_view_panel(v, columns, &panel);
    if (v->drawn > 0)
        str_addf(&out, "\033[%dA", v->drawn);
    char *copy = xstrdup(str_c(&panel)), *rest = copy, *line;
    for (int i = 0; i < lines && (line = str_split(&rest, '\n')); i++)
        str_addf(&out, "\r%s\033[K\n", line);
    str_add(&out, "\033[J");
    v->drawn = lines;
    fputs(str_c(&out), stderr);
    free(copy);
    str_fini(&panel);
    str_fini(&out);
}

static void draw(struct train_view *v, const char *line, bool news)
{
    struct winsize size = { .ws_row = (unsigned short)v->rows, .ws_col = (unsigned short)v->columns };
    if (v->quiet)
        return;
    if (v->terminal && v->rows == 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0)
        size.ws_row = size.ws_col = 0;
    if (v->terminal && size.ws_col >= MIN_COLUMNS && size.ws_row > 2 * v->n + 2)
        draw_panel(v, size.ws_col);
    else if (*line)
        fprintf(stderr, v->terminal && !news ? "\r%s\033[K" : v->terminal ? "\r%s\033[K\n" : "%s\n", line);
    fflush(stderr);
}

void train_view_losses(struct train_view *v, const char *status, const double *losses)
{
    struct str line;
    str_init(&line);
    str_add(&line, status);
    for (int i = 0; i < v->n_losses; i++) {
        curve_add(&v->curve[i], losses[i]);
        str_addf(&line, "  %s %.3f", v->curve[i].name, losses[i]);
    }
    str_copy(v->status, sizeof v->status, status);
    draw(v, str_c(&line), false);
    str_fini(&line);
}

void train_view_held_out(struct train_view *v, const char *text)
{
    str_copy(v->held_out, sizeof v->held_out, text);
    draw(v, text, true);
}

void train_view_figures(struct train_view *v, long step, const struct figures *f)
{
    struct str line;
    str_init(&line);
    str_addf(&line, "samples at %ld:", step);
    for (int i = 0; i < N_FIGURES && v->n > v->n_losses; i++) {
        struct curve *c = &v->curve[v->n_losses + i];
        curve_add(c, f->at[i]);
        str_addf(&line, "  %s %.1f (%.1f)", c->name, f->at[i], c->aim);
    }
    draw(v, str_c(&line), true);
    str_fini(&line);
}

/* "step seconds split loss loss ... sum" */
static void recall_line(struct train_view *v, char *line)
{
    char *rest = line, *field;
    for (int i = 0; (field = str_split(&rest, '\t')); i++) {
        double value;
        if (i == 2 && strcmp(field, "train") != 0)
            return;
        if (i >= 3 && i < 3 + v->n_losses && parse_double(field, -1e300, 1e300, &value) == ERR_OK)
            curve_add(&v->curve[i - 3], value);
    }
}

void train_view_recall(struct train_view *v, const char *log_path)
{
    uint8_t *bytes = NULL;
    size_t len;
    if (file_read(log_path, MAX_LOG, &bytes, &len) != ERR_OK)
        return;
    char *text = xstrndup((const char *)bytes, len), *rest = text, *line;
    while ((line = str_split(&rest, '\n')))
        recall_line(v, line);
    free(text);
    free(bytes);
}
