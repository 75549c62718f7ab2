/* file.c: whole files in and out, sorted walks, the XDG places, and the bounds-checked cursor.
 *
 * A write goes to a fresh file beside the target, is synced, and takes the target's place by rename,
 * so a reader sees the old bytes or the new ones. A target that is not a regular file (a device, a
 * pipe) is written directly: it cannot be replaced. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "str.h"

enum { READ_STEP = 64 << 10, WALK_DEPTH = 64 };

static enum err io_error(const char *doing, const char *path)
{
    enum err code = errno == ENOENT || errno == ENOTDIR ? ERR_MISSING : ERR_IO;
    return err_set(code, "cannot %s %s: %s", doing, path, strerror(errno));
}

static enum err read_all(int fd, const char *path, size_t expect, size_t max, uint8_t **out, size_t *len)
{
    uint8_t *data = NULL;
    size_t n = 0, cap = 0;
    for (;;) {
        size_t room = expect > n ? expect - n + 1 : READ_STEP;
        if (cap - n < room) {
            uint8_t *more = realloc(data, n + room);
            if (!more) {
                free(data);
                return err_set(ERR_NOMEM, "%s: no memory for %zu bytes", path, n + room);
            }
            data = more;
            cap = n + room;
        }
        ssize_t got = read(fd, data + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(data);
            return io_error("read", path);
        }
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > max) {
            free(data);
            return err_set(ERR_RANGE, "%s is larger than %zu bytes", path, max);
        }
    }
    *out = data;
    *len = n;
    return ERR_OK;
}

enum err file_read(const char *path, size_t max, uint8_t **out, size_t *len)
{
    if (str_same(path, "-"))
        return read_all(STDIN_FILENO, "standard input", 0, max, out, len);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error("open", path);
    struct stat st;
    enum err err = ERR_OK;
    if (fstat(fd, &st) != 0)
        err = io_error("read", path);
    else if (S_ISDIR(st.st_mode))
        err = err_set(ERR_IO, "%s is a folder", path);
    else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > max)
        err = err_set(ERR_RANGE, "%s is larger than %zu bytes", path, max);
    else
        err = read_all(fd, path, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, max, out, len);
    close(fd);
    return err;
}

static enum err write_all(int fd, const char *path, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return io_error("write", path);
        data += put;
        len -= (size_t)put;
    }
    return ERR_OK;
}

static enum err write_in_place(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error("write", path);
    enum err err = write_all(fd, path, data, len);
    if (close(fd) != 0 && err == ERR_OK)
        err = io_error("write", path);
    return err;
}

/* The permissions the target has, or those a plain creation would give it. */
static mode_t target_mode(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return st.st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static enum err write_aside(const char *path, const void *data, size_t len)
{
    struct str aside;
    str_init(&aside);
    str_addf(&aside, "%s.XXXXXX", path);
    enum err err = ERR_OK;
    int fd = mkostemp(aside.p, O_CLOEXEC);
    if (fd < 0) {
        err = io_error("write", path);
        str_fini(&aside);
        return err;
    }
    TRY_OUT(write_all(fd, path, data, len));
    if (fchmod(fd, target_mode(path)) != 0 || fsync(fd) != 0)
        err = io_error("write", path);
out:
    if (close(fd) != 0 && err == ERR_OK)
        err = io_error("write", path);
    if (err == ERR_OK && rename(aside.p, path) != 0)
        err = io_error("write", path);
    if (err != ERR_OK)
        unlink(aside.p);
    str_fini(&aside);
    return err;
}

enum err file_write(const char *path, const void *data, size_t len)
{
    if (str_same(path, "-"))
        return write_all(STDOUT_FILENO, "standard output", data, len);
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return err_set(ERR_IO, "cannot write %s: it is a folder", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_in_place(path, data, len);
    char *real = realpath(path, NULL); /* a link keeps pointing where it did */
    enum err err = write_aside(real ? real : path, data, len);
    free(real);
    return err;
}

enum err file_map(const char *path, const uint8_t **out, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_error("open", path);
    enum err err = ERR_OK;
    struct stat st;
    if (fstat(fd, &st) != 0) {
        err = io_error("read", path);
    } else if (!S_ISREG(st.st_mode)) {
        err = err_set(ERR_IO, "%s is not a regular file", path);
    } else if (st.st_size == 0) {
        *out = NULL;
        *len = 0;
    } else {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            err = io_error("map", path);
        } else {
            *out = p;
            *len = (size_t)st.st_size;
        }
    }
    close(fd);
    return err;
}

void file_unmap(const uint8_t *p, size_t len)
{
    if (p)
        munmap((void *)(uintptr_t)p, len);
}

/* Word-wise multiply and fold (FNV's idea, eight bytes a step): a name for a file, not a signature. */
uint64_t file_hash(const uint8_t *p, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u ^ len;
    for (; len;) {
        uint64_t word = 0;
        size_t n = len < 8 ? len : 8;
        memcpy(&word, p, n);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
        p += n;
        len -= n;
    }
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum err file_mkdirs(const char *path)
{
    char *copy = xstrdup(path);
    enum err err = ERR_OK;
    for (char *at = copy + (copy[0] == '/'); err == ERR_OK; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        if (copy[0] && mkdir(copy, 0777) != 0 && !file_is_dir(copy))
            err = io_error("make the folder", copy);
        *at = end;
        if (end == '\0')
            break;
    }
    free(copy);
    return err;
}

static int not_dots(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Byte order, so that the order is the same in every locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err walk(const char *dir, file_walk_fn fn, void *ctx, int depth)
{
    if (depth > WALK_DEPTH)
        return err_set(ERR_RANGE, "%s: folders nested deeper than %d", dir, WALK_DEPTH);
    struct dirent **entries;
    int n = scandir(dir, &entries, not_dots, by_bytes);
    if (n < 0)
        return io_error("list", dir);
    enum err err = ERR_OK;
    for (int i = 0; i < n; i++) {
        char *path = path_join(dir, entries[i]->d_name);
        struct stat st, link;
        if (err == ERR_OK && stat(path, &st) == 0) {
            /* A link to a file is followed, a link to a folder is not: it may lead back here. */
            if (S_ISREG(st.st_mode))
                err = fn(ctx, path);
            else if (S_ISDIR(st.st_mode) && lstat(path, &link) == 0 && !S_ISLNK(link.st_mode))
                err = walk(path, fn, ctx, depth + 1);
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    return err;
}

enum err file_walk(const char *dir, file_walk_fn fn, void *ctx)
{
    return walk(dir, fn, ctx, 0);
}

char *path_join(const char *a, const char *b)
{
    struct str s;
    str_init(&s);
    str_add(&s, a);
    if (s.len > 0 && s.p[s.len - 1] != '/')
        str_addc(&s, '/');
    str_add(&s, b);
    return str_take(&s);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *path_ext(const char *path)
{
    const char *base = path_base(path), *dot = strrchr(base, '.');
    return dot && dot != base ? dot : "";
}

char *path_with_ext(const char *path, const char *ext)
{
    struct str s;
    str_init(&s);
    str_addn(&s, path, strlen(path) - strlen(path_ext(path)));
    str_add(&s, ext);
    return str_take(&s);
}

char *place_path(enum place place, const char *name)
{
    static const struct { const char *variable, *under_home; } places[] = {
        [PLACE_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
        [PLACE_DATA] = {"XDG_DATA_HOME", ".local/share"},
        [PLACE_STATE] = {"XDG_STATE_HOME", ".local/state"},
    };
    struct str s;
    str_init(&s);
    const char *root = getenv(places[place].variable), *home = getenv("HOME");
    if (root && root[0] == '/') /* the standard says: a relative path is to be ignored */
        str_add(&s, root);
    else
        str_addf(&s, "%s/%s", home && home[0] ? home : "/tmp", places[place].under_home);
    str_addf(&s, "/jamroll/%s", name);
    return str_take(&s);
}

char *place_beside_program(const char *name)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    for (int up = 0; n > 0 && up < 2; up++) { /* build/jamroll -> the folder above build */
        while (n > 0 && exe[n - 1] != '/')
            n--;
        n -= n > 0;
    }
    if (n <= 0)
        return NULL;
    exe[n] = '\0';
    return path_join(exe, name);
}

size_t cursor_left(const struct cursor *c)
{
    return c->at < c->len ? c->len - c->at : 0;
}

const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
    if (c->bad || n > cursor_left(c)) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->p + c->at;
    c->at += n;
    return p;
}

static uint64_t read_be(struct cursor *c, size_t n)
{
    const uint8_t *p = cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static uint64_t read_le(struct cursor *c, size_t n)
{
    const uint8_t *p = cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = n; p && i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)read_be(c, 1);
}

uint16_t cursor_be16(struct cursor *c)
{
    return (uint16_t)read_be(c, 2);
}

uint32_t cursor_be32(struct cursor *c)
{
    return (uint32_t)read_be(c, 4);
}

uint16_t cursor_le16(struct cursor *c)
{
    return (uint16_t)read_le(c, 2);
}

uint32_t cursor_le32(struct cursor *c)
{
    return (uint32_t)read_le(c, 4);
}

uint64_t cursor_le64(struct cursor *c)
{
    return read_le(c, 8);
}
