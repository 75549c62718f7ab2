/* test_models.c: weight files are found, named, ranked and described from their headers alone. The table of
 * families below takes the registry's place when the test is linked. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "file.h"
#include "folder.h"
#include "log.h"
#include "song.h"
#include "verb.h"

static const struct model_kind first_kind = {.name = "first", .verbs = 1u << VERB_GENERATE | 1u << VERB_ACCOMPANY};
static const struct model_kind second_kind = {.name = "second", .verbs = 1u << VERB_GENERATE | 1u << VERB_TRANSFER};
const struct model_kind *const model_kinds[] = {&first_kind, &second_kind};
const size_t n_model_kinds = 2;

const struct model_kind *model_kind_find(const char *name)
{
    for (size_t i = 0; i < n_model_kinds; i++)
        if (strcmp(model_kinds[i]->name, name) == 0)
            return model_kinds[i];
    return NULL;
}

static char root[] = "/tmp/jamroll-models-XXXXXX";

static const char *at(const char *name)
{
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root, name);
    return path[turn];
}

static void save(const char *file, const char *family, const char *name, const char *genres)
{
    struct ckpt_writer *w = ckpt_writer_new();
    static const float value[4] = {1, 2, 3, 4};
    if (family)
        ckpt_writer_meta(w, "family", family);
    if (name)
        ckpt_writer_meta(w, "name", name);
    if (genres)
        ckpt_writer_meta(w, "genres", genres);
    ckpt_writer_meta(w, "licence", "CC0-1.0");
    ckpt_writer_add(w, "w", F32, SHAPE(2, 2), value);
    assert_int_equal(ckpt_writer_save(w, at(file)), ERR_OK);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(root) || chdir(root) != 0)
        return -1;
    log_quiet(true);
    assert_int_equal(file_mkdirs(at("a")), ERR_OK);
    assert_int_equal(file_mkdirs(at("b")), ERR_OK);
    assert_int_equal(file_mkdirs(at("data/jamroll/models")), ERR_OK);
    save("a/early.safetensors", "second", "painter", NULL);
    save("a/zz.safetensors", "first", NULL, "rock,jazz,latin");
    save("b/other.safetensors", "first", "Painter", "pop"); /* shadowed by a/ */
    save("b/strange.safetensors", "third", "stranger", NULL);
    save("b/none.safetensors", NULL, NULL, NULL);
    save("data/jamroll/models/mine.safetensors", "first", "mine", "");
    assert_int_equal(file_write(at("a/broken.safetensors"), "\x10\0\0\0\0\0\0\0{", 9), ERR_OK);
    assert_int_equal(file_write(at("a/notes.txt"), "x", 1), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(root);
    return 0;
}

static void use_folders(void)
{
    char list[600];
    snprintf(list, sizeof list, "%s:/no/such/folder:%s", at("a"), at("b"));
    setenv("JAMROLL_MODELS", list, 1);
    setenv("XDG_DATA_HOME", at("data"), 1);
}

static const struct model_info *named(const struct model_info *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static void test_list(void **state)
{
    (void)state;
    use_folders();
    struct model_info *list = NULL;
    size_t n = 0;
    assert_int_equal(models_list(&list, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_string_equal(list[0].name, "zz"); /* its file's name; the first family comes first */
    assert_string_equal(list[1].name, "mine");
    assert_string_equal(list[2].name, "painter");
    const struct model_info *zz = named(list, n, "zz");
    assert_string_equal(zz->family, "first");
    assert_string_equal(zz->licence, "CC0-1.0");
    assert_int_equal(zz->verbs, first_kind.verbs);
    assert_int_equal(zz->n_genres, 3);
    assert_string_equal(zz->genres[2], "latin");
    assert_int_equal(strlen(zz->hash), 16);
    uint8_t *bytes;
    size_t len;
    assert_int_equal(file_read(zz->path, 1 << 20, &bytes, &len), ERR_OK);
    assert_int_equal(zz->bytes, len);
    free(bytes);
    assert_int_equal(named(list, n, "mine")->n_genres, 0);
    assert_string_equal(named(list, n, "painter")->family, "second");
    models_list_free(list, n);
    models_list_free(NULL, 0);
}

static void assert_found(const char *name, enum verb v, const char *file)
{
    char *path = NULL;
    assert_int_equal(models_find(name, v, &path), ERR_OK);
    assert_string_equal(path_base(path), file);
    free(path);
}

static void test_find(void **state)
{
    (void)state;
    use_folders();
    assert_found(NULL, VERB_ACCOMPANY, "zz.safetensors");
    assert_found("", VERB_TRANSFER, "early.safetensors");
    assert_found("PAINTER", VERB_GENERATE, "early.safetensors");
    assert_found(at("b/other.safetensors"), VERB_GENERATE, "other.safetensors");
    char *path = NULL;
    assert_int_equal(models_find(NULL, VERB_SUGGEST, &path), ERR_MISSING);
    assert_non_null(strstr(err_text(), "suggest"));
    assert_int_equal(models_find("nobody", VERB_GENERATE, &path), ERR_MISSING);
    assert_int_equal(models_find("./nobody.safetensors", VERB_GENERATE, &path), ERR_MISSING);
    assert_null(path);
}

static void test_nothing_found(void **state)
{
    (void)state;
    setenv("JAMROLL_MODELS", "/no/such/folder", 1);
    setenv("XDG_DATA_HOME", "/no/such/home", 1);
    struct model_info *list = NULL;
    size_t n = 1;
    assert_int_equal(models_list(&list, &n), ERR_OK);
    assert_int_equal(n, 0);
    models_list_free(list, n);
    char *path = NULL;
    assert_int_equal(models_find(NULL, VERB_GENERATE, &path), ERR_MISSING);
}

static void test_request_defaults(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct request rq;
    request_init(&rq, VERB_GENERATE, s);
    assert_int_equal(request_check(&rq), ERR_OK);
    assert_int_equal(rq.n_bars, 4);
    assert_int_equal(rq.genre, -1);
    assert_int_equal(rq.key.tonic, -1);
    assert_int_equal(rq.density[ROLE_BASS], -1);
    track_add(&s->tracks[ROLE_PIANO], (struct note){5 * 1920, 10, 60, 60});
    request_init(&rq, VERB_ACCOMPANY, s);
    assert_int_equal(rq.n_bars, 8);
    rq.n_takes = 0;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    request_init(&rq, VERB_ACCOMPANY, s);
    rq.n_bars = REQUEST_MAX_BARS + 1;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    request_init(&rq, VERB_ACCOMPANY, s);
    rq.temperature = -1;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    request_init(&rq, VERB_VARY, s);
    rq.distance = 1.2;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    request_init(&rq, VERB_GENERATE, s);
    rq.range[ROLE_BASS] = (struct pitch_range){28, 52, true};
    assert_int_equal(request_check(&rq), ERR_OK);
    rq.range[ROLE_BASS].lo = 52;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    request_init(&rq, VERB_INTERPOLATE, s);
    assert_int_equal(request_check(&rq), ERR_SHAPE); /* nothing to go between */
    rq.from = rq.to = s;
    rq.mix = rq.mix_step = 0.1;
    rq.n_takes = 10;
    assert_int_equal(request_check(&rq), ERR_OK);
    rq.n_takes = 11;
    assert_int_equal(request_check(&rq), ERR_RANGE);
    song_free(s);
    s = song_new();
    request_init(&rq, VERB_GENERATE, s);
    assert_int_equal(request_check(&rq), ERR_SHAPE);
    request_init(&rq, VERB_GENERATE, NULL);
    assert_int_equal(request_check(&rq), ERR_SHAPE);
    song_free(s);
}

static void test_request_suggest(void **state)
{
    (void)state;
    struct song *s = song_new_band();
    struct request rq;
    song_set_metre(s, 0, 3, 4);
    request_suggest(&rq, s, ROLE_BASS, 2 * 1440 + 7);
    assert_int_equal(request_check(&rq), ERR_OK);
    assert_int_equal(rq.bar0, 2);
    assert_int_equal(rq.role, ROLE_BASS);
    rq.keep[ROLE_PIANO][0] = rq.keep[ROLE_BASS][1] = 1;
    assert_int_equal(request_check(&rq), ERR_OK);
    rq.keep[ROLE_BASS][0] = 1;
    assert_int_equal(request_check(&rq), ERR_EMPTY);
    assert_non_null(strstr(err_text(), "bar 3 of Bass is kept"));
    request_suggest(&rq, s, ROLE_DRUMS, 0);
    assert_int_equal(request_check(&rq), ERR_UNSUPPORTED);
    request_suggest(&rq, s, N_ROLES, 0);
    assert_int_equal(request_check(&rq), ERR_RANGE);
    request_suggest(&rq, s, ROLE_PIANO, 1440);
    static const struct { int32_t at; enum err err; } places[] = {
        {-1, ERR_RANGE}, {0, ERR_RANGE}, {1439, ERR_RANGE}, {1440, ERR_OK}, {7199, ERR_OK}, {7200, ERR_RANGE},
    };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        rq.at = places[i].at;
        assert_int_equal(request_check(&rq), places[i].err);
    }
    song_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list), cmocka_unit_test(test_find), cmocka_unit_test(test_nothing_found),
        cmocka_unit_test(test_request_defaults), cmocka_unit_test(test_request_suggest),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
