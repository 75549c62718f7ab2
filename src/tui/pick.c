/* pick.c: see pick.h. */
#include "pick.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "keycode.h"
#include "mem.h"

/* ---- what fits ---- */

static int lower(char c)
{
    return tolower((unsigned char)c);
}

/* One word's letters from `text` on: more for neighbours and for the beginnings of words. */
static int score_word(const char *text, const char *word, size_t n)
{
    int best = 0;
    for (const char *start = text; *start; start++) {
        int score = 0, run = 0;
        const char *p = start;
        size_t i = 0;
        if (lower(*p) != lower(word[0]))
            continue;
        for (; *p && i < n; p++) {
            bool hit = lower(*p) == lower(word[i]);
            run = hit ? run + 1 : 0;
            score += hit ? run * 4 + (p == text || !isalnum((unsigned char)p[-1]) ? 8 : 0) : -1;
            i += hit;
        }
        if (i == n && score >= 6 * (int)n && score > best) /* letters strewn about do not count */
            best = score;
    }
    return best;
}

int pick_score(const char *text, const char *typed)
{
    int total = 1;
    for (const char *p = typed + strspn(typed, " "); *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        int score = score_word(text, p, n);
        if (score <= 0)
            return 0;
        total += score;
        p += n;
    }
    return total;
}

/* Insertion keeps rows of the same worth in their order; the lists are short. */
static void filter(struct pick *p)
{
    int *worth = xcalloc(p->n + 1, sizeof *worth);
    free(p->shown);
    p->shown = xcalloc(p->n + 1, sizeof *p->shown);
    p->n_shown = p->at = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct pick_row *row = &p->rows[i];
        int by_text = 2 * pick_score(row->text, p->typed), by_note = 0, k = p->n_shown;
        if (row->note && p->kind != PICK_FILES && by_text == 0) {
            struct str both = {0};
            str_addf(&both, "%s %s", row->text, row->note);
            by_note = pick_score(str_c(&both), p->typed);
            str_fini(&both);
        }
        int score = by_text > by_note ? by_text : by_note;
        if (score == 0)
            continue;
        for (; k > 0 && worth[k - 1] < score; k--) {
            worth[k] = worth[k - 1];
            p->shown[k] = p->shown[k - 1];
        }
        worth[k] = score;
        p->shown[k] = (int)i;
        p->n_shown++;
    }
    free(worth);
}

/* ---- rows ---- */

static struct pick_row *add_row(struct pick *p, const char *text, const char *note, const char *line)
{
    p->rows = xgrow(p->rows, p->n, &p->cap, sizeof *p->rows);
    p->rows[p->n] = (struct pick_row){xstrdup(text), note ? xstrdup(note) : NULL, xstrdup(line), false};
    return &p->rows[p->n++];
}

static void clear_rows(struct pick *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->rows[i].text);
        free(p->rows[i].note);
        free(p->rows[i].line);
    }
    p->n = 0;
}

static void add_actions(struct pick *p)
{
    for (size_t i = 0; i < n_actions; i++) {
        const struct action *a = &actions[i];
        struct str text = {0}, note = {0};
        str_addf(&text, ":%s%s%s", a->name, a->args ? " " : "", a->args ? a->args : "");
        command_all_keys(a, &note);
        str_addf(&note, "%s%s", note.len ? "   " : "", a->help);
        add_row(p, str_c(&text), str_c(&note), a->name)->asks = a->min_args > 0;
        str_fini(&text);
        str_fini(&note);
    }
}

static void add_named(struct pick *p, const char *command, const char *name, const char *note)
{
    struct str line = {0}, text = {0};
    str_addf(&text, "%s %s", command, name);
    str_addf(&line, "%s \"%s\"", command, name);
    add_row(p, str_c(&text), note, str_c(&line));
    str_fini(&line);
    str_fini(&text);
}

static void add_takes(struct pick *p, const struct session *s)
{
    for (int i = 0; i < session_n_takes(s); i++) {
        const struct take *t = session_take(s, i);
        char number[16];
        struct str note = {0};
        str_format(number, sizeof number, "%d", session_take_number(s, i));
        str_addf(&note, "%s%s%s%sseed %llu  %s", t->star ? "starred  " : "", t->empty ? "empty  " : "",
                 i == session_marked(s, 0) ? "A  " : "", i == session_marked(s, 1) ? "B  " : "",
                 (unsigned long long)t->seed, t->params);
        add_named(p, "take", number, str_c(&note));
        str_fini(&note);
    }
}

static void add_found(struct pick *p, const struct desk *d)
{
    const struct model_info *m = desk_model(d);
    add_takes(p, d->session);
    for (int i = 0; m && i < m->n_genres; i++)
        add_named(p, "genre", m->genres[i], NULL);
    for (size_t i = 0; i < d->n_models; i++)
        add_named(p, "model", d->models[i].name, d->models[i].family);
    add_actions(p);
}

/* ---- files ---- */

static bool wanted(const char *name)
{
    static const char *const kinds[] = {".mid", ".midi", ".jam", ".npz"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_same(path_ext(name), kinds[i]))
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct pick_row *x = a, *y = b;
    bool fx = x->text[strlen(x->text) - 1] == '/', fy = y->text[strlen(y->text) - 1] == '/';
    return fx != fy ? fy - fx : strcmp(x->text, y->text);
}

static void read_folder(struct pick *p)
{
    enum { MOST = 5000 };
    clear_rows(p);
    DIR *list = opendir(p->folder[0] ? p->folder : ".");
    for (struct dirent *e; list && (e = readdir(list)) && p->n < MOST;) {
        struct str text = {0};
        char *path = path_join(p->folder, e->d_name);
        bool up = str_same(e->d_name, "..");
        if (e->d_name[0] != '.' || up) {
            bool folder = file_is_dir(path);
            str_addf(&text, "%s%s", e->d_name, folder ? "/" : "");
            if (folder || wanted(e->d_name))
                add_row(p, str_c(&text), NULL, path);
        }
        str_fini(&text);
        free(path);
    }
    if (list)
        closedir(list);
    qsort(p->rows, p->n, sizeof *p->rows, by_name);
    p->typed[0] = '\0';
    filter(p);
    p->at = p->n_shown > 1 ? 1 : 0; /* behind ".." */
}

/* Bars, tempo and notes, or why it cannot be read. Large files are left for opening. */
static char *describe(const char *path)
{
    enum { MAX_BYTES = 1 << 20 };
    struct session *s = session_new();
    struct str text = {0}, report = {0};
    uint8_t *bytes = NULL;
    size_t len = 0, notes = 0;
    enum err err = file_read(path, MAX_BYTES, &bytes, &len);
    free(bytes);
    if (err == ERR_OK)
        err = session_open(s, path, &report);
    if (err == ERR_OK) {
        const struct song *song = session_song(s);
        for (size_t i = 0; i < song->n_tracks; i++)
            notes += song->tracks[i].n;
        struct metre m = song_metre(song, 0);
        str_addf(&text, "%d bars of %d/%d, %.0f BPM, %zu notes", session_n_bars(s), m.num, m.den,
                 song_bpm(song, 0), notes);
    } else {
        str_add(&text, err_text());
    }
    str_fini(&report);
    session_free(s);
    return str_take(&text);
}

static bool is_folder(const struct pick_row *row)
{
    size_t n = strlen(row->text);
    return n > 0 && row->text[n - 1] == '/';
}

/* ".." of a path that is not itself made of them takes its last folder away. */
static void enter_folder(struct pick *p, const char *name)
{
    size_t n = strlen(p->folder), cut = n > 0 ? n - 1 : 0;
    char *to;
    while (cut > 0 && p->folder[cut - 1] != '/')
        cut--;
    if (str_same(name, "../") && n > 1 && !str_same(p->folder + cut, "../"))
        to = xstrndup(p->folder, cut);
    else {
        struct str path = {0};
        str_addf(&path, "%s%s", p->folder, name);
        to = str_take(&path);
    }
    free(p->folder);
    p->folder = to;
    read_folder(p);
}

/* ---- the list ---- */

void pick_begin(struct pick *p, const struct desk *d, enum pick_kind kind)
{
    p->kind = kind;
    clear_rows(p);
    if (!p->folder)
        p->folder = xstrdup("");
    if (kind == PICK_FILES)
        read_folder(p);
    else if (kind == PICK_FIND)
        add_found(p, d);
    else
        add_actions(p);
    p->typed[0] = '\0';
    if (kind != PICK_FILES)
        filter(p);
}

const struct pick_row *pick_marked(struct pick *p)
{
    struct pick_row *row = p->at < p->n_shown ? &p->rows[p->shown[p->at]] : NULL;
    if (row && p->kind == PICK_FILES && !row->note && !is_folder(row))
        row->note = describe(row->line);
    return row;
}

const char *pick_title(const struct pick *p)
{
    static const char *const titles[] = {[PICK_PALETTE] = "every command",
                                         [PICK_FIND] = "find a take, genre, model or command",
                                         [PICK_FILES] = "open"};
    return p->kind == PICK_FILES && p->folder[0] ? p->folder : titles[p->kind];
}

static void edit(struct pick *p, int key)
{
    char bytes[8];
    size_t n = (size_t)keycode_to_utf8(key, bytes), len = strlen(p->typed);
    if (n > 0 && len + n < sizeof p->typed) {
        memcpy(p->typed + len, bytes, n + 1);
    } else if (key == KC_BACK && len > 0) {
        while (len > 1 && ((unsigned char)p->typed[len - 1] & 0xc0) == 0x80)
            len--;
        p->typed[len - 1] = '\0';
    } else if (key == (KC_CTRL | 'u')) {
        p->typed[0] = '\0';
    } else {
        return;
    }
    filter(p);
}

enum pick_end pick_key(struct pick *p, int key)
{
    enum { PAGE = 10 };
    int by = key == KC_DOWN || key == (KC_CTRL | 'n') || key == KC_TAB  ? 1
             : key == KC_UP || key == (KC_CTRL | 'p') || key == KC_BTAB ? -1
             : key == KC_PGDN                                           ? PAGE
             : key == KC_PGUP                                           ? -PAGE
                                                                        : 0;
    const struct pick_row *row = p->at < p->n_shown ? &p->rows[p->shown[p->at]] : NULL;
    if (key == KC_ESC || key == (KC_CTRL | 'c') || (key == KC_BACK && !p->typed[0] && p->kind != PICK_FILES))
        return PICK_LEFT;
    if (key == KC_BACK && !p->typed[0]) {
        enter_folder(p, "../");
    } else if (key == KC_ENTER && row && p->kind == PICK_FILES && is_folder(row)) {
        char *name = xstrdup(row->text);
        enter_folder(p, name);
        free(name);
    } else if (key == KC_ENTER) {
        return row ? PICK_CHOSEN : PICK_GOES_ON;
    } else if (by) {
        p->at = p->at + by >= p->n_shown ? p->n_shown - 1 : p->at + by;
        p->at = p->at < 0 ? 0 : p->at;
    } else {
        edit(p, key);
    }
    return PICK_GOES_ON;
}

void pick_fini(struct pick *p)
{
    clear_rows(p);
    free(p->rows);
    free(p->shown);
    free(p->folder);
    *p = (struct pick){0};
}
