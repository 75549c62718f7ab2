/* folder.c: see folder.h. */
#include "folder.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>

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
