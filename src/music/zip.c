/* zip.c: zip archives as numpy writes them: stored or deflated members, found through the central directory at
 * the end of the file (local headers are only stepped over: numpy leaves their sizes to a 64-bit extra field).
 * What comes out of an archive is bounded, whatever its headers claim, and checked against its CRC. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "str.h"

enum { MAX_ENTRIES = 4096, END_BYTES = 22, MAX_COMMENT = 65535 };
static const size_t MAX_UNPACKED = (size_t)256 << 20;

/* One row of the central directory. */
struct row { uint16_t flags, method; uint32_t crc, packed, len, offset; const char *name; uint16_t name_len; };

void zip_fini(struct zip *z)
{
    for (size_t i = 0; i < z->n; i++) {
        free(z->entries[i].name);
        free(z->entries[i].data);
    }
    free(z->entries);
    *z = (struct zip){ NULL, 0 };
}

/* ---- reading ---- */

static bool find_end(const uint8_t *p, size_t len, size_t *at)
{
    size_t lowest = len > END_BYTES + MAX_COMMENT ? len - END_BYTES - MAX_COMMENT : 0;
    for (size_t i = len >= END_BYTES ? len - END_BYTES + 1 : 0; i-- > lowest; )
        if (memcmp(p + i, "PK\5\6", 4) == 0) {
            *at = i;
            return true;
        }
    return false;
}

static enum err read_row(struct cursor *c, const char *name, struct row *r)
{
    size_t at = c->at;
    const uint8_t *sig = cursor_bytes(c, 4);
    cursor_le32(c); /* versions */
    r->flags = cursor_le16(c);
    r->method = cursor_le16(c);
    cursor_le32(c); /* time and date */
    r->crc = cursor_le32(c);
    r->packed = cursor_le32(c);
    r->len = cursor_le32(c);
    r->name_len = cursor_le16(c);
    size_t extra = cursor_le16(c), comment = cursor_le16(c);
    cursor_le32(c); /* disk, internal attributes */
    cursor_le32(c); /* external attributes */
    r->offset = cursor_le32(c);
    r->name = (const char *)cursor_bytes(c, r->name_len);
    cursor_bytes(c, extra);
    cursor_bytes(c, comment);
    if (c->bad || memcmp(sig, "PK\1\2", 4) != 0)
        return err_set(ERR_FORMAT, "%s: no archive member at offset %zu", name, at);
    if (r->flags & 1)
        return err_set(ERR_UNSUPPORTED, "%s: \"%.*s\" is encrypted", name, r->name_len, r->name);
    if (r->packed == UINT32_MAX || r->len == UINT32_MAX || r->offset == UINT32_MAX)
        return err_set(ERR_UNSUPPORTED, "%s: \"%.*s\" is larger than 4 GB", name, r->name_len, r->name);
    if (r->method != 0 && r->method != 8)
        return err_set(ERR_UNSUPPORTED, "%s: \"%.*s\" is packed by method %d", name, r->name_len, r->name, r->method);
    return ERR_OK;
}

/* Inflate exactly `len` bytes; false when the stream says anything else. */
static bool inflate_all(const uint8_t *in, size_t packed, uint8_t *out, size_t len)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)packed, .next_out = out,
                   .avail_out = (uInt)len };
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return false;
    int rc = inflate(&z, Z_FINISH);
    bool whole = rc == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return whole;
}

static enum err unpack(const uint8_t *bytes, size_t len, const char *name, const struct row *r, uint8_t **out)
{
    struct cursor c = { bytes, len, r->offset, false };
    void *data = NULL;

    if (r->offset > len)
        return err_set(ERR_FORMAT, "%s: member at offset %u, the file has %zu bytes", name, r->offset, len);
    const uint8_t *sig = cursor_bytes(&c, 4);
    cursor_bytes(&c, 22);
    size_t skip = cursor_le16(&c);
    skip += cursor_le16(&c);
    cursor_bytes(&c, skip);
    const uint8_t *packed = cursor_bytes(&c, r->packed);
    if (c.bad || memcmp(sig, "PK\3\4", 4) != 0)
        return err_set(ERR_FORMAT, "%s: \"%.*s\" is cut short", name, r->name_len, r->name);
    if (r->method == 0 && r->packed != r->len)
        return err_set(ERR_FORMAT, "%s: \"%.*s\" has two sizes", name, r->name_len, r->name);
    TRY(mem_try_alloc((size_t)r->len + 1, 1, &data));
    bool whole = true;
    if (r->method == 0)
        memcpy(data, packed, r->len);
    else
        whole = inflate_all(packed, r->packed, data, r->len);
    if (!whole || crc32(crc32(0, NULL, 0), data, r->len) != r->crc) {
        free(data);
        return err_set(ERR_FORMAT, "%s: \"%.*s\" is damaged", name, r->name_len, r->name);
    }
    *out = data;
    return ERR_OK;
}

static enum err read_members(const uint8_t *bytes, size_t len, const char *name, struct zip *z)
{
    size_t end = 0, total = 0;

    if (!find_end(bytes, len, &end))
        return err_set(ERR_FORMAT, "%s: not a zip archive", name);
    struct cursor c = { bytes, len, end + 8, false };
    cursor_le16(&c);
    size_t n = cursor_le16(&c);
    cursor_le32(&c);
    size_t at = cursor_le32(&c);
    if (n > MAX_ENTRIES || at > end)
        return err_set(ERR_FORMAT, "%s: impossible archive directory (%zu members at %zu)", name, n, at);
    c = (struct cursor){ bytes, end, at, false };
    z->entries = xcalloc(n + 1, sizeof(*z->entries));
    for (size_t i = 0; i < n; i++) {
        struct row r;
        uint8_t *data = NULL;
        TRY(read_row(&c, name, &r));
        total += r.len;
        if (total > MAX_UNPACKED)
            return err_set(ERR_RANGE, "%s: unpacks to more than %zu MB", name, MAX_UNPACKED >> 20);
        TRY(unpack(bytes, len, name, &r, &data));
        z->entries[z->n++] = (struct zip_entry){ xstrndup(r.name, r.name_len), data, r.len };
    }
    return ERR_OK;
}

enum err zip_read(const uint8_t *bytes, size_t len, const char *name, struct zip *out)
{
    struct zip z = { NULL, 0 };
    enum err err = read_members(bytes, len, name, &z);
    if (err != ERR_OK)
        zip_fini(&z);
    else
        *out = z;
    return err;
}

/* ---- writing ---- */

static void put_le(struct str *s, uint64_t v, int n)
{
    for (int i = 0; i < n; i++)
        str_addc(s, (char)(v >> (8 * i) & 0xff));
}

/* What local header and directory row share: version, flags, method, date, CRC, sizes, name length, extra. */
static void put_common(struct str *s, const struct row *r)
{
    put_le(s, 20, 2);
    put_le(s, 0, 2);
    put_le(s, r->method, 2);
    put_le(s, 0, 2);
    put_le(s, 0x21, 2); /* 1 January 1980: the same archive every time */
    put_le(s, r->crc, 4);
    put_le(s, r->packed, 4);
    put_le(s, r->len, 4);
    put_le(s, r->name_len, 2);
    put_le(s, 0, 2);
}

static enum err deflate_all(const struct zip_entry *e, uint8_t **out, size_t *len)
{
    z_stream z = { .next_in = e->data, .avail_in = (uInt)e->len };
    if (deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(ERR_NOMEM, "deflate");
    size_t cap = deflateBound(&z, e->len);
    uint8_t *p = xmalloc(cap + 1);
    z.next_out = p;
    z.avail_out = (uInt)cap;
    int rc = deflate(&z, Z_FINISH);
    *len = cap - z.avail_out;
    deflateEnd(&z);
    BUG_ON(rc != Z_STREAM_END);
    *out = p;
    return ERR_OK;
}

static enum err put_member(struct str *out, struct str *dir, const struct zip_entry *e)
{
    uint8_t *packed = NULL;
    size_t n = 0;

    TRY(deflate_all(e, &packed, &n));
    struct row r = { .method = 8, .crc = (uint32_t)crc32(crc32(0, NULL, 0), e->data, (uInt)e->len),
                     .packed = (uint32_t)n, .len = (uint32_t)e->len, .offset = (uint32_t)out->len,
                     .name = e->name, .name_len = (uint16_t)strlen(e->name) };
    str_addn(out, "PK\3\4", 4);
    put_common(out, &r);
    str_addn(out, r.name, r.name_len);
    str_addn(out, (char *)packed, n);
    free(packed);
    str_addn(dir, "PK\1\2", 4);
    put_le(dir, 20, 2);
    put_common(dir, &r);
    put_le(dir, 0, 2 + 2 + 2); /* no comment, first disk, no attributes */
    put_le(dir, 0, 4);
    put_le(dir, r.offset, 4);
    str_addn(dir, r.name, r.name_len);
    return ERR_OK;
}

enum err zip_write(const struct zip *z, uint8_t **out, size_t *len)
{
    struct str body, dir;
    enum err err = ERR_OK;
    size_t total = 0;

    for (size_t i = 0; i < z->n; i++)
        total += z->entries[i].len;
    if (z->n > MAX_ENTRIES || total > MAX_UNPACKED)
        return err_set(ERR_RANGE, "an archive of %zu members and %zu bytes is too large", z->n, total);
    str_init(&body);
    str_init(&dir);
    for (size_t i = 0; i < z->n; i++)
        TRY_OUT(put_member(&body, &dir, &z->entries[i]));
    size_t at = body.len;
    str_addn(&body, str_c(&dir), dir.len);
    str_addn(&body, "PK\5\6", 4);
    put_le(&body, 0, 4);
    put_le(&body, z->n, 2);
    put_le(&body, z->n, 2);
    put_le(&body, dir.len, 4);
    put_le(&body, at, 4);
    put_le(&body, 0, 2);
    *len = body.len;
    *out = (uint8_t *)str_take(&body);
out:
    str_fini(&body);
    str_fini(&dir);
    return err;
}
