/* journal.c: see journal.h. Two kinds of record: a take, written once when it comes, and the project without its
 * takes but with their numbers and stars, written at every change. The last project with the takes it names is
 * the session; what was torn by a crash fails its checksum and ends the file. When projects that are no longer
 * of interest fill the file, it is written anew beside itself and renamed. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "clock.h"
#include "file.h"
#include "mem.h"
#include "state.h"
#include "str.h"

enum { HEAD = 16, MAGIC = 0x6c6a616d, COMPACT_OVER = 8 << 20, MAX_BYTES = 512 << 20 };
enum kind { KIND_PROJECT = 1, KIND_TAKE = 2 };

/* What the last record described. */
struct seen {
    uint64_t version, tray;
    struct settings settings;
};
/* Takes in the file; a number alone may have come back after another project was opened. */
struct known {
    const struct take *take;
    uint64_t seed;
    uint32_t section, id;
};

struct journal {
    char *dir, *path;
    int fd;
    size_t size, base; /* bytes now, and when last written whole */
    struct seen seen;
    struct known *takes;
    size_t n_takes, cap_takes;
};

struct journal *journal_new(const char *dir)
{
    struct journal *j = xcalloc(1, sizeof *j);
    j->dir = dir ? xstrdup(dir) : place_path(PLACE_STATE, "journal");
    j->fd = -1;
    return j;
}

static void forget(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    free(j->path);
    j->path = NULL;
    j->size = j->base = j->n_takes = 0;
    j->seen = (struct seen){0};
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    forget(j);
    free(j->takes);
    free(j->dir);
    free(j);
}

void journal_drop(struct journal *j)
{
    if (j->path)
        unlink(j->path);
    forget(j);
}

/* ---- writing ---- */

static void put_le32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> 8 * i);
}

/* Kind and length are summed too: a length that lies cannot pass. */
static uint32_t checksum(const uint8_t *head, const uint8_t *payload, size_t len)
{
    return (uint32_t)crc32(crc32(0, head + 4, 8), payload, (uInt)len);
}

static size_t begin_record(struct str *out)
{
    static const char empty[HEAD];
    str_addn(out, empty, HEAD);
    return out->len;
}

static void end_record(struct str *out, size_t at, enum kind kind)
{
    char *head = out->p + at - HEAD;
    put_le32(head, MAGIC);
    put_le32(head + 4, kind);
    put_le32(head + 8, (uint32_t)(out->len - at));
    put_le32(head + 12, checksum((uint8_t *)head, (uint8_t *)out->p + at, out->len - at));
}

static bool is_known(const struct journal *j, const struct tray *t, const struct slot *slot)
{
    for (size_t i = 0; i < j->n_takes; i++)
        if (j->takes[i].section == t->section && j->takes[i].id == slot->id && j->takes[i].take == slot->take &&
            j->takes[i].seed == slot->take->seed)
            return true;
    return false;
}

static void print_takes(struct journal *j, const struct tray *t, struct str *out)
{
    for (size_t i = 0; i < t->n_slots; i++) {
        const struct slot *slot = &t->slots[i];
        if (is_known(j, t, slot))
            continue;
        size_t at = begin_record(out);
        jam_print_take(t, slot, out);
        end_record(out, at, KIND_TAKE);
        j->takes = xgrow(j->takes, j->n_takes, &j->cap_takes, sizeof *j->takes);
        j->takes[j->n_takes++] = (struct known){slot->take, slot->take->seed, t->section, slot->id};
    }
}

static void print_news(struct journal *j, const struct session *s, struct str *out)
{
    for (int i = 0; i < s->now.n_sections; i++)
        print_takes(j, tray_find(s, s->now.sections[i].id), out);
    size_t at = begin_record(out);
    jam_print_light(s, out);
    end_record(out, at, KIND_PROJECT);
}

static enum err fail(const char *path)
{
    return err_set(ERR_IO, "no journal, so save often: %s (%s)", strerror(errno), path);
}

/* All of it or, with the old length given back, nothing. */
static enum err append(int fd, const char *path, size_t size, const struct str *text)
{
    ssize_t put = write(fd, text->p, text->len);
    if (put == (ssize_t)text->len)
        return ERR_OK;
    if (put >= 0)
        errno = ENOSPC;
    enum err err = fail(path);
    if (put > 0 && ftruncate(fd, (off_t)size) != 0)
        err = fail(path);
    return err;
}

/* A fresh file with everything, locked before anybody can see it, in the place of the old one if there is. */
static enum err write_whole(struct journal *j, const struct session *s)
{
    struct str text = {0}, aside = {0};
    enum err err = ERR_OK;
    TRY(file_mkdirs(j->dir));
    if (!j->path) {
        struct str name = {0};
        str_addf(&name, "%s/%lld-%d.journal", j->dir, (long long)time(NULL), (int)getpid());
        j->path = str_take(&name);
    }
    j->n_takes = 0;
    print_news(j, s, &text);
    str_addf(&aside, "%s.new", j->path);
    int fd = open(aside.p, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        TRY_OUT(fail(aside.p));
    TRY_OUT(append(fd, aside.p, 0, &text));
    if (rename(aside.p, j->path) != 0)
        TRY_OUT(fail(aside.p));
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->size = j->base = text.len;
out:
    if (err != ERR_OK) {
        if (fd >= 0)
            close(fd);
        unlink(aside.p);
        j->n_takes = 0;
    }
    str_fini(&text);
    str_fini(&aside);
    return err;
}

static enum err write_news(struct journal *j, const struct session *s)
{
    struct str text = {0};
    size_t n = j->n_takes;
    print_news(j, s, &text);
    enum err err = append(j->fd, j->path, j->size, &text);
    if (err == ERR_OK)
        j->size += text.len;
    else
        j->n_takes = n;
    str_fini(&text);
    return err;
}

static void add_to_sum(uint64_t *sum, uint32_t word)
{
    *sum = (*sum ^ word) * 1099511628211u;
}

static uint64_t tray_sum(const struct session *s)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t k = 0; k < s->n_trays; k++) {
        const struct tray *t = s->trays[k];
        uint32_t words[] = {t->section, t->mark[0], t->mark[1], t->last_id, (uint32_t)t->n_slots};
        for (size_t i = 0; i < COUNT_OF(words); i++)
            add_to_sum(&sum, words[i]);
        for (size_t i = 0; i < t->n_slots; i++)
            add_to_sum(&sum, t->slots[i].id * 2 + t->slots[i].take->star);
    }
    return sum;
}

enum err journal_update(struct journal *j, const struct session *s)
{
    if (!session_dirty(s)) {
        journal_drop(j);
        return ERR_OK;
    }
    struct seen now = {s->version, tray_sum(s), s->settings};
    bool same = now.version == j->seen.version && now.tray == j->seen.tray &&
                memcmp(&now.settings, &j->seen.settings, sizeof now.settings) == 0;
    if (same)
        return ERR_OK;
    j->seen = now; /* one complaint a change, also when it cannot be written */
    bool whole = j->fd < 0 || j->size > j->base * 4 + COMPACT_OVER;
    return whole ? write_whole(j, s) : write_news(j, s);
}

/* ---- reading ---- */

struct record {
    enum kind kind;
    const uint8_t *payload;
    size_t len;
};

/* The next whole record, or false: the end, or what a crash left of one. */
static bool next_record(struct cursor *c, struct record *out)
{
    const uint8_t *head = cursor_bytes(c, HEAD);
    if (!head)
        return false;
    struct cursor h = {head, HEAD, 0, false};
    bool ours = cursor_le32(&h) == MAGIC;
    *out = (struct record){.kind = (enum kind)cursor_le32(&h), .len = cursor_le32(&h)};
    uint32_t sum = cursor_le32(&h);
    out->payload = ours ? cursor_bytes(c, out->len) : NULL;
    return out->payload && checksum(head, out->payload, out->len) == sum;
}

static json_t *load(const struct record *r)
{
    return json_loadb((const char *)r->payload, r->len, JSON_REJECT_DUPLICATES, NULL);
}

/* Cells are written for every bar there can be; a project has those of its length. */
static void cut_mask(json_t *take, size_t n_bars)
{
    size_t i;
    json_t *j;
    json_array_foreach(json_object_get(take, "mask"), i, j) if (json_string_length(j) > n_bars)
        json_string_setn(j, json_string_value(j), n_bars);
}

/* Section and number of a take as the key of an object; without sections there is the one, 0. */
static const char *key_of(const json_t *section, const json_t *number, char buf[48])
{
    str_format(buf, 48, "%lld/%lld", (long long)json_integer_value(section), (long long)json_integer_value(number));
    return buf;
}

/* The tray's list of numbers and stars becomes the section's takes. */
static void assemble(json_t *section, json_t *takes)
{
    char buf[48];
    size_t i, n_bars = (size_t)json_integer_value(json_object_get(section, "bars"));
    json_t *row, *list = json_array();
    json_array_foreach(json_object_get(section, "tray"), i, row)
    {
        json_t *take = json_object_get(takes, key_of(json_object_get(section, "id"), json_array_get(row, 0), buf));
        if (!take)
            continue;
        cut_mask(take, n_bars);
        json_object_set_new(take, "star", json_boolean(json_integer_value(json_array_get(row, 1))));
        json_array_append(list, take);
    }
    json_object_set_new(section, "takes", list);
}

/* A project of the first version is its own only section. */
static void assemble_all(json_t *project, json_t *takes)
{
    size_t i;
    json_t *section, *list = json_object_get(project, "sections");
    if (!list)
        assemble(project, takes);
    json_array_foreach(list, i, section) assemble(section, takes);
}

/* Takes as JSON by number and the last project; false without a project. */
static bool collect(const uint8_t *bytes, size_t len, json_t **project, json_t *takes)
{
    struct cursor c = {bytes, len, 0, false};
    struct record r, last = {0};
    char buf[48];
    while (next_record(&c, &r))
        if (r.kind == KIND_PROJECT) {
            last = r;
        } else if (r.kind == KIND_TAKE && takes) {
            json_t *take = load(&r);
            json_object_set_new(takes, key_of(json_object_get(take, "section"), json_object_get(take, "number"), buf),
                                take);
        }
    *project = last.payload ? load(&last) : NULL;
    return *project != NULL;
}

static const char *music_of(const json_t *project)
{
    const char *path = json_string_value(json_object_get(project, "from"));
    return path && *path ? path : NULL;
}

enum err journal_parse(const uint8_t *bytes, size_t len, const char *name, struct session *s)
{
    json_t *project = NULL, *takes = json_object();
    enum err err = ERR_OK;
    if (!collect(bytes, len, &project, takes))
        TRY_OUT(err_set(ERR_FORMAT, "%s: there is no whole project in it", name));
    assemble_all(project, takes);
    TRY_OUT(jam_load(s, project, name));
    session_loaded(s, music_of(project));
    s->tray_dirty = true;
out:
    json_decref(project);
    json_decref(takes);
    return err;
}

enum err journal_recover(const char *path, struct session *s)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_read(path, MAX_BYTES, &bytes, &len));
    enum err err = journal_parse(bytes, len, path, s);
    free(bytes);
    return err;
}

/* ---- journals without a program ---- */

struct search {
    struct orphan *best;
    bool found;
    struct timespec when;
};

static bool deserted(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool free_now = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, st) == 0;
    if (fd >= 0)
        close(fd);
    return free_now;
}

static char *name_in(const char *path)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    json_t *project = NULL;
    char *name = NULL;
    if (file_read(path, MAX_BYTES, &bytes, &len) == ERR_OK && collect(bytes, len, &project, NULL))
        name = xstrdup(music_of(project) ? path_base(music_of(project)) : "untitled");
    json_decref(project);
    free(bytes);
    return name;
}

static enum err look_at(void *ctx, const char *path)
{
    struct search *f = ctx;
    struct stat st;
    if (str_ends(path, ".journal.new") && deserted(path, &st)) /* half written when its program died */
        unlink(path);
    if (!str_ends(path, ".journal") || !deserted(path, &st))
        return ERR_OK;
    bool newer = st.st_mtim.tv_sec != f->when.tv_sec ? st.st_mtim.tv_sec > f->when.tv_sec
                                                     : st.st_mtim.tv_nsec > f->when.tv_nsec;
    char *name = !f->found || newer ? name_in(path) : NULL;
    if (!name)
        return ERR_OK;
    orphan_fini(f->best);
    *f->best = (struct orphan){xstrdup(path), name, st.st_mtim.tv_sec};
    f->when = st.st_mtim;
    f->found = true;
    return ERR_OK;
}

bool journal_find(const char *dir, struct orphan *out)
{
    struct search f = {.best = out};
    char *place = dir ? xstrdup(dir) : place_path(PLACE_STATE, "journal");
    *out = (struct orphan){0};
    if (file_is_dir(place) && file_walk(place, look_at, &f) != ERR_OK)
        f.found = f.found && out->path;
    free(place);
    return f.found;
}

void orphan_fini(struct orphan *o)
{
    free(o->path);
    free(o->name);
    *o = (struct orphan){0};
}

void orphan_discard(const struct orphan *o)
{
    unlink(o->path);
}
