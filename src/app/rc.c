/* rc.c: see rc.h. Nothing in the file can stop the program: bytes that are no text, unknown commands and
 * refused values are problems to be told, and the next line runs. */
#include "rc.h"

#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "file.h"
#include "mem.h"

enum { RC_MAX_BYTES = 1 << 18 };

/* A name that may be set is a word of the row of `set`, and the command of that name sets it. */
static bool is_setting(const char *name)
{
    char *list = xstrdup(action_find("set")->words), *rest = list, *word;
    bool found = false;
    while ((word = str_split(&rest, '|')))
        found |= str_same(word, name);
    free(list);
    return found;
}

enum err act_set(struct desk *d, int argc, char **argv)
{
    if (!is_setting(argv[0]))
        return err_set(ERR_MISSING, "no setting \"%s\": there are %s", argv[0], action_find("set")->words);
    const struct action *a = action_find(argv[0]);
    if (argc - 1 > a->max_args)
        return err_set(ERR_FORMAT, "%s takes %s", a->name, a->args);
    return a->run(d, argc - 1, argv + 1);
}

/* The words were taken apart; together again they are the line to run. */
enum err act_bind(struct desk *d, int argc, char **argv)
{
    struct str line = {0};
    for (int i = 1; i < argc; i++) {
        bool quote = !argv[i][0] || strpbrk(argv[i], " \t#");
        str_addf(&line, "%s%s%s%s", i > 1 ? " " : "", quote ? "\"" : "", argv[i], quote ? "\"" : "");
    }
    enum err err = command_bind(argv[0], str_c(&line));
    if (err == ERR_OK)
        desk_say(d, "%s: %s", argv[0], str_c(&line));
    str_fini(&line);
    return err;
}

static void add_problem(struct words *problems, const char *path, int line)
{
    struct str text = {0};
    str_addf(&text, "%s:%d: %s", path, line, err_text());
    words_add(problems, str_c(&text));
    str_fini(&text);
}

static void run_lines(struct desk *d, const char *path, char *text, struct words *problems)
{
    char *rest = text, *line;
    for (int n = 1; (line = str_split(&rest, '\n')); n++) {
        size_t len = strlen(line);
        if (len > 0 && line[len - 1] == '\r')
            line[len - 1] = '\0';
        if (command_run(d, line) != ERR_OK)
            add_problem(problems, path, n);
        d->want = WANT_NOTHING;
    }
    d->message[0] = '\0';
    d->message_bad = false;
}

void rc_run(struct desk *d, const char *path, struct words *problems)
{
    char *own = path ? xstrdup(path) : place_path(PLACE_CONFIG, "rc");
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (!file_exists(own)) {
        free(own);
        return;
    }
    enum err err = file_read(own, RC_MAX_BYTES, &bytes, &len);
    if (err == ERR_OK && len > 0 && memchr(bytes, '\0', len))
        err = err_set(ERR_FORMAT, "this is no text");
    if (err != ERR_OK) {
        add_problem(problems, own, 1);
    } else {
        char *text = xstrndup((const char *)bytes, len);
        run_lines(d, own, text, problems);
        free(text);
    }
    free(bytes);
    free(own);
}

void rc_tell(struct desk *d, const struct words *problems)
{
    if (problems->n == 0)
        return;
    for (size_t i = 0; i < problems->n; i++)
        str_addf(&d->report, "%s\n", problems->at[i]);
    const char *first = path_base(problems->at[0]); /* its folder is known */
    if (problems->n == 1)
        desk_say(d, "%s", problems->at[0]);
    else
        desk_say(d, "%s (and %zu more: :report)", first, problems->n - 1);
    d->message_bad = true;
}
