/* cmd_models.c: the weight files there are, the networks the program can build, and whether a file is what
 * it should be. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt.h"
#include "file.h"
#include "mem.h"
#include "verb.h"

enum { MAX_NETS = 64 };

static json_t *verbs_json(unsigned verbs)
{
    json_t *list = json_array();
    for (int v = 0; v < N_VERBS; v++)
        if (verbs & 1u << v)
            json_array_append_new(list, json_string(verb_name((enum verb)v)));
    return list;
}

static void print_verbs(unsigned verbs)
{
    if (verbs == 0)
        printf(" serves other models");
    for (int v = 0; v < N_VERBS; v++)
        if (verbs & 1u << v)
            printf(" %s", verb_name((enum verb)v));
    putchar('\n');
}

static json_t *names_json(char *const *names, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_text(names[i]));
    return list;
}

static json_t *info_json(const struct model_info *m)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:o}", "name", json_text(m->name), "family",
                     json_text(m->family), "path", json_text(m->path), "bytes", (json_int_t)m->bytes, "hash", m->hash,
                     "licence", json_text(m->licence), "verbs", verbs_json(m->verbs), "genres",
                     names_json(m->genres, m->n_genres), "styles", names_json(m->styles, m->n_styles));
}

static int list_models(struct cli *c, const struct model_info *list, size_t n)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(all, info_json(&list[i]));
        if (c->json)
            continue;
        printf("%-16s %-8s %6.1f MB  %s ", list[i].name, list[i].family, (double)list[i].bytes / 1e6, list[i].hash);
        print_verbs(list[i].verbs);
    }
    cli_set(c, "models", all);
    if (n > 0)
        return EXIT_OK;
    (void)err_set(ERR_MISSING, "no weight files found; `jamroll doctor` says where they are looked for");
    return cli_fail(c, STAGE_MODEL, ERR_MISSING);
}

/* Every network of a family with its default options. */
static json_t *show_family(const struct cli *c, const struct model_kind *kind)
{
    struct model_net nets[MAX_NETS];
    struct opts *o = opts_new(kind->options, kind->n_options);
    int n = kind->nets(o, nets, MAX_NETS);
    opts_free(o);
    json_t *list = json_array();
    if (!c->json)
        printf("%s: %s\n", kind->name, kind->title);
    for (int i = 0; i < n; i++) {
        if (!c->json)
            printf("  %-32s %12zu parameters\n", nets[i].name, nets[i].params);
        json_array_append_new(list, json_pack("{s:s, s:I}", "name", nets[i].name, "parameters",
                                              (json_int_t)nets[i].params));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "family", kind->name, "title", kind->title, "verbs",
                     verbs_json(kind->verbs), "networks", list);
}

static size_t n_parameters(const struct ckpt *ck)
{
    size_t n = 0;
    for (size_t i = 0; i < ckpt_n(ck); i++)
        n += shape_count(ckpt_at(ck, i).shape);
    return n;
}

static int show_weights(struct cli *c, const struct model_info *m)
{
    struct ckpt *ck = NULL;
    enum err err = ckpt_open(m->path, &ck);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_MODEL, err);
    json_t *j = info_json(m), *meta = json_object();
    json_object_set_new(j, "tensors", json_integer((json_int_t)ckpt_n(ck)));
    json_object_set_new(j, "values", json_integer((json_int_t)n_parameters(ck)));
    if (!c->json) {
        printf("%s: family %s, %s\n", m->name, m->family, m->path);
        printf("  %zu values in %zu tensors, %.1f MB, hash %s\n  verbs:", n_parameters(ck), ckpt_n(ck),
               (double)m->bytes / 1e6, m->hash);
        print_verbs(m->verbs);
    }
    for (size_t i = 0; i < ckpt_n_meta(ck); i++) {
        const char *key, *value;
        ckpt_meta_at(ck, i, &key, &value);
        json_object_set_new(meta, key, json_text(value));
        if (!c->json)
            printf("  %s: %s\n", key, value);
    }
    json_object_set_new(j, "metadata", meta);
    cli_set(c, "model", j);
    ckpt_close(ck);
    return EXIT_OK;
}

static bool is_named(const struct model_info *m, const char *name)
{
    return !name || str_same(m->name, name) || strcmp(m->path, name) == 0;
}

static int show(struct cli *c, const struct model_info *list, size_t n, const char *name)
{
    if (opts_flag(c->opts, "all")) {
        json_t *families = json_array();
        for (size_t i = 0; i < n_model_kinds; i++)
            json_array_append_new(families, show_family(c, model_kinds[i]));
        cli_set(c, "families", families);
        return EXIT_OK;
    }
    if (!name)
        return cli_usage(c, "models show needs the name of weights or of a family, or --all");
    for (size_t i = 0; i < n; i++)
        if (is_named(&list[i], name))
            return show_weights(c, &list[i]);
    const struct model_kind *kind = model_kind_find(name);
    if (kind) {
        cli_set(c, "family", show_family(c, kind));
        return EXIT_OK;
    }
    (void)err_set(ERR_MISSING, "there are neither weights nor a family called %s", name);
    return cli_fail(c, STAGE_MODEL, ERR_MISSING);
}

/* Every value finite: a broken training run or a flipped exponent shows here. */
static enum err check_values(const struct ckpt *ck)
{
    for (size_t i = 0; i < ckpt_n(ck); i++) {
        struct ckpt_tensor t = ckpt_at(ck, i);
        if (t.dtype != F32)
            continue;
        for (size_t k = 0; k < shape_count(t.shape); k++) {
            float x;
            memcpy(&x, (const char *)t.data + k * sizeof x, sizeof x);
            if (!isfinite(x))
                return err_set(ERR_FORMAT, "tensor %s holds a value that is not a number", t.name);
        }
    }
    return ERR_OK;
}

/* The card beside the weights names their hash. */
static enum err check_card(const char *path, const char *hash)
{
    char *card = path_with_ext(path, ".txt");
    uint8_t *text = NULL;
    size_t len = 0;
    enum err err = ERR_OK;
    if (file_exists(card)) {
        err = file_read(card, 1 << 20, &text, &len);
        if (err == ERR_OK && !memmem(text, len, hash, strlen(hash)))
            err = err_set(ERR_FORMAT, "the card %s does not name the hash %s", card, hash);
    }
    free(text);
    free(card);
    return err;
}

static enum err verify_file(const char *path, struct device *d)
{
    struct ckpt *ck = NULL;
    struct model *m = NULL;
    const struct model_kind *kind = NULL;
    enum err err = ERR_OK;
    TRY_OUT(ckpt_open(path, &ck));
    TRY_OUT(check_values(ck));
    const char *family = ckpt_meta(ck, "family");
    kind = family ? model_kind_find(family) : NULL;
    if (!kind)
        err = err_set(ERR_FORMAT, "the file names no family that this program knows (%s)", family ? family : "none");
    else
        err = kind->open(d, ck, &m);
    if (err == ERR_OK)
        err = check_card(path, ckpt_hash(ck));
out:
    if (m)
        kind->close(m);
    ckpt_close(ck);
    return err;
}

static int verify_one(struct cli *c, const char *name, const char *path, struct device *d, json_t *out)
{
    enum err err = verify_file(path, d);
    json_array_append_new(out, json_pack("{s:o, s:o, s:b, s:o}", "name", json_text(name), "path", json_text(path), "ok",
                                         err == ERR_OK, "problem", json_text(err == ERR_OK ? NULL : err_text())));
    if (err == ERR_OK && !c->json)
        printf("%s: ok\n", name);
    if (err == ERR_OK)
        return EXIT_OK;
    err_prefix("%s", name);
    return cli_fail(c, STAGE_MODEL, err);
}

static int verify(struct cli *c, const struct model_info *list, size_t n, const char *name)
{
    struct device *d = NULL;
    enum err err = device_open("cpu", 1, &d);
    if (err != ERR_OK)
        return cli_fail(c, STAGE_DEVICE, err);
    json_t *all = json_array();
    int code = EXIT_OK, found = 0;
    for (size_t i = 0; i < n; i++)
        if (is_named(&list[i], name)) {
            int one = verify_one(c, list[i].name, list[i].path, d, all);
            code = code == EXIT_OK ? one : code;
            found++;
        }
    if (!found && name && file_exists(name)) { /* a path, or a file too broken to be listed */
        code = verify_one(c, path_base(name), name, d, all);
        found++;
    }
    if (!found) {
        (void)err_set(ERR_MISSING, "no weights %s", name ? name : "found");
        code = cli_fail(c, STAGE_MODEL, ERR_MISSING);
    }
    cli_set(c, "verified", all);
    device_close(d);
    return code;
}

static int run_models(struct cli *c)
{
    const char *what = opts_n_args(c->opts) > 0 ? opts_arg(c->opts, 0) : "list";
    const char *name = opts_n_args(c->opts) > 1 ? opts_arg(c->opts, 1) : NULL;
    struct model_info *list = NULL;
    size_t n = 0;
    enum err err = models_list(&list, &n);
    int code;
    if (err != ERR_OK && err != ERR_MISSING)
        code = cli_fail(c, STAGE_MODEL, err);
    else if (strcmp(what, "list") == 0)
        code = list_models(c, list, n);
    else if (strcmp(what, "show") == 0)
        code = show(c, list, n, name);
    else if (strcmp(what, "verify") == 0)
        code = verify(c, list, n, name);
    else
        code = cli_usage(c, "models knows list, show and verify, not \"%s\"", what);
    models_list_free(list, n);
    return code;
}

static const struct opt options[] = {
    {"all", 'a', OPT_FLAG, 0, 0, NULL, NULL, NULL, "show: every network the program can build, with its size"},
    OPT_COMMON,
};

const struct command cmd_models = {"models", "list | show NAME | verify [NAME]", "weight files and networks",
                                   OPTIONS_OF(options), 0, 2, run_models};
