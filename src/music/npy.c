/* npy.c: numpy's array files (format 1 to 3): a magic, a header that is a Python dictionary, then the data.
 * Only little-endian numbers in C order are taken; the header is read by a parser of just that dictionary. */
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "str.h"

static const struct { const char *descr; uint8_t size; } types[] = {
    [NPY_F4] = { "<f4", 4 }, [NPY_F8] = { "<f8", 8 }, [NPY_I4] = { "<i4", 4 }, [NPY_I8] = { "<i8", 8 },
    [NPY_U1] = { "|u1", 1 }, [NPY_BOOL] = { "|b1", 1 }, [NPY_F2] = { "<f2", 2 },
};

void npy_fini(struct npy *a)
{
    free(a->data);
    memset(a, 0, sizeof(*a));
}

/* ---- the header ---- */

struct header { char descr[16]; bool fortran, has_descr, has_shape; int rank; int64_t dim[8]; };

static void skip_space(const char **p)
{
    *p += strspn(*p, " \n\r\t");
}

static bool take(const char **p, char c)
{
    skip_space(p);
    if (**p != c)
        return false;
    ++*p;
    return true;
}

/* A quoted word into buf. */
static bool take_word(const char **p, char *buf, size_t cap)
{
    skip_space(p);
    char quote = **p;
    if (quote != '\'' && quote != '"')
        return false;
    const char *end = strchr(*p + 1, quote);
    if (!end || (size_t)(end - *p - 1) >= cap)
        return false;
    memcpy(buf, *p + 1, (size_t)(end - *p - 1));
    buf[end - *p - 1] = 0;
    *p = end + 1;
    return true;
}

static bool take_shape(const char **p, struct header *h)
{
    if (!take(p, '('))
        return false;
    while (!take(p, ')')) {
        int64_t v = 0;
        int digits = 0;
        skip_space(p);
        for (; **p >= '0' && **p <= '9' && digits < 18; ++*p, digits++)
            v = v * 10 + (**p - '0');
        if (digits == 0 || digits == 18 || h->rank == 8)
            return false;
        h->dim[h->rank++] = v;
        if (!take(p, ',')) {
            if (!take(p, ')'))
                return false;
            break;
        }
    }
    return h->has_shape = true;
}

static bool take_flag(const char **p, bool *out)
{
    skip_space(p);
    *out = str_starts(*p, "True");
    if (!*out && !str_starts(*p, "False"))
        return false;
    *p += *out ? 4 : 5;
    return true;
}

static bool parse_header(const char *p, struct header *h)
{
    char key[24];
    if (!take(&p, '{'))
        return false;
    while (!take(&p, '}')) {
        if (!take_word(&p, key, sizeof(key)) || !take(&p, ':'))
            return false;
        bool ok = strcmp(key, "descr") == 0 ? (h->has_descr = take_word(&p, h->descr, sizeof(h->descr))) :
                  strcmp(key, "fortran_order") == 0 ? take_flag(&p, &h->fortran) :
                  strcmp(key, "shape") == 0 ? h->rank == 0 && !h->has_shape && take_shape(&p, h) : false;
        if (!ok || (!take(&p, ',') && *p != '}'))
            return false;
    }
    return h->has_descr && h->has_shape;
}

/* ---- arrays ---- */

static enum err npy_type_of(const struct header *h, const char *name, enum npy_type *out)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i].descr, h->descr) == 0) {
            *out = (enum npy_type)i;
            return ERR_OK;
        }
    return err_set(ERR_UNSUPPORTED, "%s: numbers of type %s are not read", name, h->descr);
}

static enum err array_bytes(const struct npy *a, const char *name, size_t *out)
{
    size_t n = types[a->type].size;
    for (int i = 0; i < a->rank; i++)
        if (!size_mul(n, (size_t)a->dim[i], &n))
            return err_set(ERR_FORMAT, "%s: impossible shape", name);
    *out = n;
    return ERR_OK;
}

enum err npy_read(const uint8_t *bytes, size_t len, const char *name, struct npy *out)
{
    struct cursor c = { bytes, len, 0, false };
    struct header h = { .rank = 0 };
    struct npy a = { .rank = 0 };
    const uint8_t *magic = cursor_bytes(&c, 6);

    if (!magic || memcmp(magic, "\x93NUMPY", 6) != 0)
        return err_set(ERR_FORMAT, "%s: not a numpy array", name);
    int major = cursor_u8(&c);
    cursor_u8(&c);
    size_t head_len = major == 1 ? cursor_le16(&c) : cursor_le32(&c);
    const uint8_t *head = cursor_bytes(&c, head_len);
    if (c.bad || major < 1 || major > 3 || head_len > 65536)
        return err_set(ERR_FORMAT, "%s: header cut short or of unknown version %d", name, major);
    char *text = xstrndup((const char *)head, head_len);
    bool ok = parse_header(text, &h);
    free(text);
    if (!ok)
        return err_set(ERR_FORMAT, "%s: header at offset %zu makes no sense", name, c.at - head_len);
    TRY(npy_type_of(&h, name, &a.type));
    a.rank = h.rank;
    memcpy(a.dim, h.dim, sizeof(a.dim));
    if (h.fortran && h.rank > 1)
        return err_set(ERR_UNSUPPORTED, "%s: arrays in Fortran order are not read", name);
    TRY(array_bytes(&a, name, &a.bytes));
    if (a.bytes > cursor_left(&c))
        return err_set(ERR_FORMAT, "%s: %zu bytes of data, its shape needs %zu", name, cursor_left(&c), a.bytes);
    TRY(mem_try_alloc(a.bytes + 1, 1, &a.data));
    memcpy(a.data, bytes + c.at, a.bytes);
    *out = a;
    return ERR_OK;
}

enum err npy_write(const struct npy *a, uint8_t **out, size_t *len)
{
    struct str s, head;
    size_t bytes = 0;

    TRY(array_bytes(a, "array", &bytes));
    if (bytes != a->bytes || a->rank < 0 || a->rank > 8)
        return err_set(ERR_SHAPE, "array of %zu bytes, its shape needs %zu", a->bytes, bytes);
    str_init(&s);
    str_init(&head);
    str_addf(&head, "{'descr': '%s', 'fortran_order': False, 'shape': (", types[a->type].descr);
    for (int i = 0; i < a->rank; i++)
        str_addf(&head, "%lld%s", (long long)a->dim[i], a->rank == 1 ? "," : i + 1 < a->rank ? ", " : "");
    str_add(&head, "), }");
    while ((10 + head.len + 1) % 64 != 0) /* data begins on a 64-byte line */
        str_addc(&head, ' ');
    str_addc(&head, '\n');
    str_addn(&s, "\x93NUMPY\x01\x00", 8);
    str_addc(&s, (char)(head.len & 0xff));
    str_addc(&s, (char)(head.len >> 8));
    str_addn(&s, head.p, head.len);
    str_addn(&s, a->data, a->bytes);
    str_fini(&head);
    *len = s.len;
    *out = (uint8_t *)str_take(&s);
    return ERR_OK;
}
