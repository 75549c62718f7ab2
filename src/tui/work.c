/* work.c: see work.h. */
#include "work.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "str.h"

static void *work_main(void *p)
{
    struct work *w = p;
    w->err = w->run(w, w->arg);
    if (w->err != ERR_OK)
        str_copy(w->text, sizeof w->text, err_text());
    eventfd_write(w->fd, 1);
    return NULL;
}

enum err work_start(struct work *w, enum err (*run)(struct work *w, void *arg), void *arg)
{
    pthread_t thread;
    w->run = run;
    w->arg = arg;
    w->err = ERR_OK;
    w->text[0] = '\0';
    atomic_store(&w->cancel, false);
    atomic_store(&w->progress, 0);
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0)
        return err_set(ERR_IO, "eventfd: %s", strerror(errno));
    int code = pthread_create(&thread, NULL, work_main, w);
    if (code != 0) {
        close(w->fd);
        w->fd = -1;
        return err_set(ERR_IO, "thread: %s", strerror(code));
    }
    w->thread = (unsigned long)thread;
    return ERR_OK;
}

bool work_busy(const struct work *w)
{
    return w->fd >= 0;
}

void work_join(struct work *w)
{
    if (w->fd < 0)
        return;
    pthread_join((pthread_t)w->thread, NULL);
    close(w->fd);
    w->fd = -1;
}
