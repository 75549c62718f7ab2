/* folder.c: see folder.h. */
#include "folder.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>
#include "file.h"

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void folder_remove(const char *dir)
{
    enum { OPEN = 16 };
    assert_int_equal(nftw(dir, remove_one, OPEN, FTW_DEPTH | FTW_PHYS), 0);
}

static enum err drop(void *ctx, const char *path)
{
    (void)ctx;
    return unlink(path) == 0 ? ERR_OK : ERR_IO;
}

int folder_remove_flat(const char *dir)
{
    return file_walk(dir, drop, NULL) == ERR_OK ? rmdir(dir) : -1;
}
