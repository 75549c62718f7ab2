/* group.c: see group.h. */
#include "group.h"
#include "str.h"

struct device *device;
json_t *golden;

int group_one_thread(void **state)
{
    (void)state;
    on_open(1, &device);
    return 0;
}

int group_two_threads(void **state)
{
    (void)state;
    on_open(2, &device);
    return 0;
}

int group_golden(const char *name)
{
    char path[80];
    str_format(path, sizeof path, "tests/golden/%s.json", name);
    golden = json_load_file(path, 0, NULL);
    on_open(2, &device);
    return !golden;
}

int group_end(void **state)
{
    (void)state;
    json_decref(golden);
    on_close(device);
    return 0;
}
