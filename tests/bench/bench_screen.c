/* How fast the screen answers: the program in a terminal of its own (120 x 40), a key written to it, and the time
 * until it has drawn; at rest, while the band plays in the worker, and while another process trains with all
 * cores. Then what it costs when nothing happens.
 *
 *     bench_screen [PROGRAM]        needs models/ and assets/ in the current folder
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "str.h"

enum { KEYS = 400, MAX_MS = 2000 };
static const char *program = "build/jamroll";
static char dir[] = "/tmp/jamroll-bench-XXXXXX";

static int start(pid_t *pid)
{
    int fd = -1;
    struct winsize size = {.ws_row = 40, .ws_col = 120};
    *pid = forkpty(&fd, NULL, NULL, &size);
    if (*pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("XDG_STATE_HOME", dir, 1);
        setenv("XDG_CONFIG_HOME", dir, 1);
        execl(program, program, "--audio", "none", "assets/seeds/piano-ballad.mid", (char *)NULL);
        _exit(127);
    }
    return fd;
}

/* Read what comes until nothing does for `ms`. Whether the screen still lives. */
static bool drain(int fd, int ms)
{
    char buf[65536];
    struct pollfd p = {fd, POLLIN, 0};
    while (poll(&p, 1, ms) > 0)
        if (read(fd, buf, sizeof buf) <= 0)
            return false;
    return true;
}

/* A column to the right and back; milliseconds until something was drawn, -1 when nothing was. While takes come or
 * the song plays other frames come too, so the answer is known by its cell: the cursor's sign. */
static double press(int fd, char key)
{
    char buf[65536];
    struct pollfd p = {fd, POLLIN, 0};
    double from = clock_s();
    if (write(fd, &key, 1) != 1)
        return -1;
    while (poll(&p, 1, MAX_MS) > 0) {
        ssize_t n = read(fd, buf, sizeof buf);
        if (n <= 0)
            return -1;
        if (memchr(buf, '@', (size_t)n))
            return 1000 * (clock_s() - from);
    }
    return -1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool measure(int fd, const char *what, const char *before_each)
{
    double ms[KEYS];
    for (int i = 0; i < KEYS; i++) {
        if (before_each && i % 100 == 0 && write(fd, before_each, strlen(before_each)) < 0)
            return false;
        if (before_each && i % 100 == 0)
            usleep(200000);
        ms[i] = press(fd, i % 2 ? 'h' : 'l');
        if (ms[i] < 0) {
            printf("%-28s key %d was not answered\n", what, i);
            return false;
        }
        usleep(5000);
    }
    qsort(ms, KEYS, sizeof *ms, by_size);
    printf("%-28s median %6.2f ms   p99 %6.2f ms   worst %6.2f ms\n", what, ms[KEYS / 2], ms[KEYS * 99 / 100],
           ms[KEYS - 1]);
    return true;
}

/* User and system time of all threads, in seconds. */
static double cpu_time(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, sys = 0;
    str_format(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (!fgets(text, sizeof text, f))
        text[0] = '\0';
    fclose(f);
    const char *p = strrchr(text, ')');
    if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        return 0;
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static void idle(pid_t pid, int fd)
{
    enum { SECONDS = 10 };
    double before = cpu_time(pid), from = clock_s();
    drain(fd, 1000 * SECONDS);
    double took = clock_s() - from;
    printf("%-28s %.2f %% of a core over %.0f s\n", "nothing happens", 100 * (cpu_time(pid) - before) / took,
           took);
}

static pid_t train(void)
{
    char line[512];
    str_format(line, sizeof line,
               "mkdir -p %s/midi/all; for i in 1 2 3 4 5 6; do "
               "%s generate --quiet --bars 8 --seed $i -o %s/midi/all/$i.mid || exit 1; done; "
               "%s dataset build %s/midi -o %s/set.bin > %s/out 2>&1",
               dir, program, dir, program, dir, dir, dir);
    if (system(line) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        char set[64], out[64];
        str_format(set, sizeof set, "%s/set.bin", dir);
        str_format(out, sizeof out, "%s/run", dir);
        execl(program, program, "train", "band", "--data", set, "-o", out, "--minutes", "5", "--quiet",
              (char *)NULL);
        _exit(127);
    }
    sleep(2);
    return waitpid(pid, NULL, WNOHANG) == 0 ? pid : -1;
}

static void end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    pid_t pid = 0, trainer = 0;
    char line[64];
    program = argc > 1 ? argv[1] : program;
    if (!mkdtemp(dir))
        return 1;
    int fd = start(&pid);
    bool well = fd >= 0 && (sleep(1), drain(fd, 500));
    well = well && measure(fd, "key to screen, at rest", NULL);
    well = well && measure(fd, "while the band plays", "g.");
    if (well && write(fd, "\003", 1) == 1 && drain(fd, 1500))
        idle(pid, fd);
    if (well && (trainer = train()) > 0)
        well = measure(fd, "while another trains", NULL);
    else if (well)
        puts("no training: the data set could not be built");
    end(trainer);
    end(pid);
    str_format(line, sizeof line, "rm -rf %s", dir);
    return system(line) != 0 || !well;
}
