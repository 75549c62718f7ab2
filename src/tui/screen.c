/* screen.c: curses, and the care for the terminal. While the screen is up, file descriptor 2 goes to a log
 * file: libraries that print there (ALSA does) would write across the picture. */
#include "screen.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "file.h"
#include "keycode.h"
#include "log.h"
#include "theme.h"

#include <curses.h> /* last: term.h makes macros of words such as cursor_left */
#include <term.h>

static struct {
    bool open, ascii;
    bool mouse, mouse_asked, mouse_known; /* told to us; looked for; the terminal has one */
    enum depth depth;
    SCREEN *curses;
    struct grid shown; /* what the terminal holds */
    struct termios tty; /* as we found it */
    bool have_tty;
    int real_stderr;
    char leave[256]; /* bytes that leave the screen, for where curses may not be called */
    size_t leave_len;
    char note[96];
    struct pointer pointer;
    int owed; /* events at its place still to be told */
} scr = {.real_stderr = -1};

enum { CLICKS = BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON1_TRIPLE_CLICKED };

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static struct sigaction old_action[COUNT_OF(fatal)];

/* Motion while a button is down (1002) is beyond what curses asks for. */
static const char mouse_drag[] = "\033[?1002h", mouse_off[] = "\033[?1002l\033[?1000l\033[?1006l";

/* ---- giving the terminal back from anywhere: only async-signal-safe calls ---- */

static void emergency_restore(void)
{
    if (!scr.open)
        return;
    scr.open = false;
    if (scr.mouse && write(STDOUT_FILENO, mouse_off, sizeof mouse_off - 1) < 0)
        return;
    for (size_t done = 0; done < scr.leave_len;) {
        ssize_t n = write(STDOUT_FILENO, scr.leave + done, scr.leave_len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (scr.have_tty)
        tcsetattr(STDIN_FILENO, TCSANOW, &scr.tty);
    if (scr.real_stderr >= 0)
        dup2(scr.real_stderr, STDERR_FILENO);
}

/* The old action is put back and the fault happens again: core dumps and sanitizers see it as if we had
 * not been there. A signal that somebody sent does not come again by itself. */
static void on_fatal(int sig, siginfo_t *info, void *context)
{
    (void)context;
    emergency_restore();
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        if (fatal[i] == sig)
            sigaction(sig, &old_action[i], NULL);
    if (info->si_code <= 0)
        raise(sig);
}

static void guard(bool on)
{
    struct sigaction act = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        if (on)
            sigaction(fatal[i], &act, &old_action[i]);
        else
            sigaction(fatal[i], &old_action[i], NULL);
}

static void remember(const char *capability)
{
    const char *s = tigetstr((char *)capability);
    if (!s || s == (char *)-1)
        return;
    while (*s && scr.leave_len < sizeof scr.leave - 1) {
        if (s[0] == '$' && s[1] == '<') { /* padding for terminals of old */
            while (*s && *s != '>')
                s++;
            s += *s == '>';
            continue;
        }
        scr.leave[scr.leave_len++] = *s++;
    }
}

/* ---- start and stop ---- */

static void divert_stderr(void)
{
    char *path = place_path(PLACE_STATE, "stderr.log"), *dir = place_path(PLACE_STATE, "");
    int fd = file_mkdirs(dir) == ERR_OK ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fflush(stderr);
    scr.real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0) {
        dup2(fd, STDERR_FILENO);
        close(fd);
    }
    free(path);
    free(dir);
    log_quiet(true);
}

static void return_stderr(void)
{
    if (scr.real_stderr >= 0) {
        fflush(stderr);
        dup2(scr.real_stderr, STDERR_FILENO);
        close(scr.real_stderr);
        scr.real_stderr = -1;
    }
    log_quiet(false);
}

static void choose_depth(bool no_color)
{
    const char *env = getenv("NO_COLOR");
    scr.depth = DEPTH_MONO;
    if (no_color || (env && env[0]) || !has_colors() || start_color() == ERR)
        return;
    bool own = use_default_colors() == OK;
    scr.depth = COLORS >= 256 && COLOR_PAIRS >= N_STYLES * N_GROUNDS + 1 ? DEPTH_256
                : COLORS >= 16                                           ? DEPTH_16
                                                                         : DEPTH_8;
    for (int s = 0; s < N_STYLES; s++)
        for (int g = 0; g < N_GROUNDS; g++) {
            struct paint p = theme_paint(scr.depth, (enum style)s, (enum ground)g);
            int pair = 1 + s + (scr.depth == DEPTH_256 ? g * N_STYLES : 0);
            init_pair((short)pair, p.fg < 0 && !own ? COLOR_WHITE : p.fg,
                      p.bg < 0 && !own ? COLOR_BLACK : p.bg);
        }
}

static enum err start_curses(void)
{
    const char *term = getenv("TERM");
    int found = 0;
    if (setupterm(NULL, STDOUT_FILENO, &found) == ERR) {
        str_format(scr.note, sizeof scr.note, "unknown terminal \"%s\", treated as xterm-256color",
                   term ? term : "");
        setenv("TERM", "xterm-256color", 1);
    } else if (!cursor_address) {
        return err_set(ERR_DEVICE, "the terminal \"%s\" cannot place text", term ? term : "");
    } else {
        del_curterm(cur_term); /* it was only asked whether it exists */
    }
    scr.curses = newterm(NULL, stdout, stdin);
    if (!scr.curses)
        return err_set(ERR_DEVICE, "the terminal \"%s\" cannot show a screen", term ? term : "");
    set_term(scr.curses);
    raw(); /* every key is ours, also ^C ^Z ^S ^Q */
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    mouseinterval(0);
    return ERR_OK;
}

enum err screen_open(const struct screen_opts *o)
{
    static bool registered;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(ERR_DEVICE, "no terminal here; jamroll help lists the commands that need none");
    setlocale(LC_CTYPE, "");
    scr.ascii = o->ascii || strcmp(nl_langinfo(CODESET), "UTF-8");
    scr.note[0] = '\0';
    scr.leave_len = 0;
    scr.have_tty = tcgetattr(STDIN_FILENO, &scr.tty) == 0;
    divert_stderr();
    enum err err = start_curses();
    if (err != ERR_OK) {
        return_stderr();
        return err;
    }
    static const char *const leaving[] = {"sgr0", "cnorm", "rmkx", "rmcup"};
    for (size_t i = 0; i < COUNT_OF(leaving); i++)
        remember(leaving[i]);
    choose_depth(o->no_color);
    scr.open = true;
    guard(true);
    err_on_bug(emergency_restore);
    if (!registered)
        registered = atexit(screen_close) == 0;
    grid_init(&scr.shown, 0, 0, scr.ascii);
    return ERR_OK;
}

static void say(const char *bytes, size_t n)
{
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
}

/* Curses knows of a mouse only once asked for it, and what it loads for that is not wanted by who wants none. */
static void find_mouse(void)
{
    mousemask(BUTTON1_PRESSED, NULL);
    scr.mouse_known = has_mouse();
    mousemask(0, NULL);
    scr.mouse_asked = true;
}

void screen_mouse(bool on)
{
    if (scr.open && on && !scr.mouse_asked)
        find_mouse();
    if (!scr.open || !scr.mouse_known || on == scr.mouse)
        return;
    mousemask(on ? BUTTON1_PRESSED | BUTTON1_RELEASED | CLICKS | BUTTON4_PRESSED | BUTTON5_PRESSED |
                       BUTTON_SHIFT | BUTTON_CTRL | REPORT_MOUSE_POSITION
                 : 0,
              NULL);
    say(on ? mouse_drag : mouse_off, on ? sizeof mouse_drag - 1 : sizeof mouse_off - 1);
    scr.mouse = on;
}

void screen_close(void)
{
    if (!scr.open)
        return;
    screen_mouse(false);
    scr.open = false;
    guard(false);
    endwin();
    delscreen(scr.curses);
    scr.curses = NULL;
    if (scr.have_tty)
        tcsetattr(STDIN_FILENO, TCSANOW, &scr.tty);
    grid_fini(&scr.shown);
    return_stderr();
}

bool screen_ascii(void)
{
    return scr.ascii;
}
const char *screen_note(void)
{
    return scr.note;
}

void screen_size(int *w, int *h)
{
    *w = COLS;
    *h = LINES;
}

void screen_resized(void)
{
    struct winsize ws;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0)
        resizeterm(ws.ws_row, ws.ws_col);
    screen_redraw();
}

void screen_redraw(void)
{
    grid_fini(&scr.shown);
    clearok(curscr, TRUE);
}

/* Stop the whole job as the terminal itself would, so that a script around us stops too. */
void screen_suspend(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL}, ours;
    sigset_t stop, before;
    bool mouse = scr.mouse;
    screen_mouse(false);
    def_prog_mode();
    endwin();
    if (scr.have_tty)
        tcsetattr(STDIN_FILENO, TCSANOW, &scr.tty);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigaction(SIGTSTP, &standard, &ours);
    pthread_sigmask(SIG_UNBLOCK, &stop, &before);
    kill(0, SIGTSTP);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGTSTP, &ours, NULL);
    reset_prog_mode();
    screen_resized();
    refresh();
    screen_mouse(mouse);
}

/* ---- drawing ---- */

static void put_cell(int x, int y, const struct cell *c)
{
    struct paint p = theme_paint(scr.depth, (enum style)c->style, (enum ground)c->ground);
    int look = c->look | p.look, pair = 0;
    attr_t attr = (look & LOOK_BOLD ? A_BOLD : 0) | (look & LOOK_DIM ? A_DIM : 0) |
                  (look & LOOK_REVERSE ? A_REVERSE : 0) | (look & LOOK_UNDER ? A_UNDERLINE : 0);
    wchar_t text[2] = {(wchar_t)c->ch, 0};
    cchar_t out;
    if (scr.depth != DEPTH_MONO)
        pair = 1 + c->style + (scr.depth == DEPTH_256 ? c->ground * N_STYLES : 0);
    setcchar(&out, text, attr, (short)pair, NULL);
    mvadd_wch(y, x, &out);
}

void screen_draw(const struct grid *g)
{
    bool all = scr.shown.w != g->w || scr.shown.h != g->h;
    if (all) {
        grid_fini(&scr.shown);
        grid_init(&scr.shown, g->w, g->h, g->ascii);
        erase();
    }
    for (int y = 0; y < g->h; y++)
        for (int x = 0; x < g->w; x++) {
            const struct cell *now = &g->at[y * g->w + x];
            struct cell *was = &scr.shown.at[y * g->w + x];
            if (all || memcmp(now, was, sizeof *now)) {
                put_cell(x, y, now);
                *was = *now;
            }
        }
    refresh();
}

/* ---- keys ---- */

static int decode_special(wint_t c)
{
    static const struct {
        int curses, key;
    } map[] = {
        {KEY_UP, KC_UP},          {KEY_DOWN, KC_DOWN}, {KEY_LEFT, KC_LEFT},  {KEY_RIGHT, KC_RIGHT},
        {KEY_HOME, KC_HOME},      {KEY_END, KC_END},   {KEY_PPAGE, KC_PGUP}, {KEY_NPAGE, KC_PGDN},
        {KEY_BACKSPACE, KC_BACK}, {KEY_DC, KC_DEL},    {KEY_IC, KC_INS},     {KEY_BTAB, KC_BTAB},
        {KEY_ENTER, KC_ENTER},
    };
    if (c >= KEY_F(1) && c <= KEY_F(12))
        return KC_F1 + (int)(c - KEY_F(1));
    for (size_t i = 0; i < COUNT_OF(map); i++)
        if ((wint_t)map[i].curses == c)
            return map[i].key;
    return KC_NONE;
}

struct pointer screen_pointer(void)
{
    return scr.pointer;
}

/* What is left of clicks that curses made of presses and releases that came at once. */
static void owed_event(void)
{
    scr.pointer.kind = scr.owed-- % 2 ? POINTER_RELEASE : POINTER_PRESS;
}

static int decode_mouse(void)
{
    MEVENT ev;
    if (getmouse(&ev) != OK)
        return KC_NONE;
    bool up = ev.bstate & BUTTON4_PRESSED, down = ev.bstate & BUTTON5_PRESSED;
    enum pointer_kind kind = up || down                               ? POINTER_WHEEL
                             : ev.bstate & (BUTTON1_PRESSED | CLICKS) ? POINTER_PRESS
                             : ev.bstate & BUTTON1_RELEASED           ? POINTER_RELEASE
                             : ev.bstate & REPORT_MOUSE_POSITION      ? POINTER_DRAG
                                                                      : POINTER_RELEASE;
    scr.pointer = (struct pointer){.kind = kind,
                                   .x = ev.x,
                                   .y = ev.y,
                                   .by = up - down,
                                   .shift = ev.bstate & BUTTON_SHIFT,
                                   .ctrl = ev.bstate & BUTTON_CTRL};
    scr.owed = ev.bstate & BUTTON1_CLICKED          ? 1
               : ev.bstate & BUTTON1_DOUBLE_CLICKED ? 3
               : ev.bstate & BUTTON1_TRIPLE_CLICKED ? 5
                                                    : 0;
    return KC_POINTER;
}

static int decode_plain(wint_t c)
{
    switch (c) {
    case 8:
    case 127:
        return KC_BACK;
    case 9:
        return KC_TAB;
    case 10:
    case 13:
        return KC_ENTER;
    case 27:
        return KC_ESC;
    default:
        return c == 0 ? KC_NONE : c < 32 ? KC_CTRL | (int)(c + 96) : (int)c;
    }
}

bool screen_key(int *key)
{
    wint_t c;
    int kind;
    if (scr.owed > 0) {
        owed_event();
        *key = KC_POINTER;
        return true;
    }
    while ((kind = get_wch(&c)) != ERR) {
        *key = kind == KEY_CODE_YES && c == KEY_MOUSE ? decode_mouse()
               : kind == KEY_CODE_YES                 ? decode_special(c)
                                                      : decode_plain(c);
        if (*key != KC_NONE)
            return true;
    }
    return false;
}
