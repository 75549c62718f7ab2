/* ports.c: PortMidi behind one lock.
 *
 * The library reads the list of devices only when it starts and is not made for threads. So it is started
 * anew when a port is wanted that its list lacks: all open streams are closed (outputs get the time to send
 * what they hold) and opened again by name. Who is there now Linux tells in a text file; without that file a
 * list is as old as the oldest open port, and a lost port is not noticed. */
#include "ports.h"
#include <portmidi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "hush.h"
#include "mem.h"

enum { BUFFER = 512, MAX_PORTS = 4, CLIENTS_BYTES = 1 << 16, DRAIN_MS = PORT_AHEAD_MS + PORT_LATENCY_MS + 10 };

struct port { enum port_dir dir; char name[PORT_NAME]; PortMidiStream *stream; };

const char *ports_clients_file = "/proc/asound/seq/clients";
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct port *ports[MAX_PORTS];
static int n_ports;
static bool running;

int32_t ports_ms(uint64_t ns)
{
    return (PmTimestamp)(ns / 1000000u);
}

static PmTimestamp now_ms(void *unused)
{
    (void)unused;
    return ports_ms(clock_ns());
}

/* ---- who is there ---- */

static enum err start_library(void)
{
    hush_libraries();
    if (!running && Pm_Initialize() != pmNoError)
        return err_set(ERR_DEVICE, "PortMidi could not start on this machine");
    running = true;
    return ERR_OK;
}

static void stop_library(void)
{
    if (running)
        Pm_Terminate();
    running = false;
}

static const char *name_of(enum port_dir dir, int id)
{
    const PmDeviceInfo *info = Pm_GetDeviceInfo(id);
    return info && info->name && (dir == PORT_IN ? info->input : info->output) ? info->name : NULL;
}

static int id_of(enum port_dir dir, const char *name)
{
    for (int id = 0; id < Pm_CountDevices(); id++)
        if (name_of(dir, id) && strcmp(name_of(dir, id), name) == 0)
            return id;
    return -1;
}

/* The text, malloc'd, or NULL where there is no such file. */
static char *read_clients(void)
{
    FILE *f = fopen(ports_clients_file, "r");
    if (!f)
        return NULL;
    char *text = xmalloc(CLIENTS_BYTES);
    text[fread(text, 1, CLIENTS_BYTES - 1, f)] = '\0';
    fclose(f);
    return text;
}

/* Lines like `  Port   0 : "Midi Through Port-0" (RWe-)`: R can be read by others, W be written. The port
 * "Timer" and the like of the system are nobody's instrument. */
static int list_clients(const char *text, enum port_dir dir, struct str *out)
{
    int n = 0;
    bool system = false;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        const char *from = memchr(line, '"', len), *to = from ? memchr(from + 1, '"', len - (size_t)(from + 1 - line)) : NULL;
        if (str_starts(line, "Client"))
            system = str_starts(line, "Client   0 ");
        if (system || !to || !str_starts(line, "  Port") || (size_t)(to - line) + 4 >= len ||
            to[2] != '(' || (dir == PORT_IN ? to[3] != 'R' : to[4] != 'W'))
            continue;
        str_addn(out, from + 1, (size_t)(to - from - 1));
        str_addc(out, '\n');
        n++;
    }
    return n;
}

static int list_library(enum port_dir dir, struct str *out)
{
    int n = 0;
    if (start_library() != ERR_OK)
        return 0;
    for (int id = 0; id < Pm_CountDevices(); id++)
        if (name_of(dir, id)) {
            str_addf(out, "%s\n", name_of(dir, id));
            n++;
        }
    if (n_ports == 0)
        stop_library();
    return n;
}

static int list(enum port_dir dir, struct str *out)
{
    char *text = n_ports > 0 ? read_clients() : NULL;
    int n = text ? list_clients(text, dir, out) : list_library(dir, out);
    free(text);
    return n;
}

int ports_list(enum port_dir dir, struct str *out)
{
    pthread_mutex_lock(&library);
    int n = list(dir, out);
    pthread_mutex_unlock(&library);
    return n;
}

enum err ports_resolve(enum port_dir dir, const char *name, char full[PORT_NAME])
{
    static const char *const words[] = {[PORT_OUT] = "output", [PORT_IN] = "input"};
    struct str text = {0}, all = {0};
    int n = ports_list(dir, &text), matches = 0;
    char *copy = xstrdup(str_c(&text)), *rest = copy, *device;
    while ((device = str_split(&rest, '\n'))) {
        if (!*device)
            continue;
        str_addf(&all, "%s'%s'", all.len ? ", " : "", device);
        bool same = str_same(device, name);
        if (!same && !strcasestr(device, name))
            continue;
        str_copy(full, PORT_NAME, device);
        matches++;
        if (same) {
            matches = 1;
            break;
        }
    }
    enum err err = ERR_OK;
    if (n == 0)
        err = err_set(ERR_DEVICE, "no MIDI %s on this machine (plug one in; or is the ALSA sequencer, snd-seq, not "
                                  "loaded?)", words[dir]);
    else if (matches != 1)
        err = err_set(ERR_DEVICE, "%s MIDI %s is called '%s'; there are %s", matches ? "more than one" : "no",
                      words[dir], name, str_c(&all));
    free(copy);
    str_fini(&text);
    str_fini(&all);
    return err;
}

/* ---- open and close, with the lock ---- */

static void open_stream(struct port *p)
{
    int id = id_of(p->dir, p->name);
    if (id < 0)
        return;
    PmError bad = p->dir == PORT_OUT
                      ? Pm_OpenOutput(&p->stream, id, NULL, BUFFER, now_ms, NULL, PORT_LATENCY_MS)
                      : Pm_OpenInput(&p->stream, id, NULL, BUFFER, now_ms, NULL);
    if (bad != pmNoError)
        p->stream = NULL;
    else if (p->dir == PORT_IN)
        Pm_SetFilter(p->stream, PM_FILT_REALTIME | PM_FILT_SYSEX);
}

static void close_stream(struct port *p)
{
    if (p->stream)
        Pm_Close(p->stream);
    p->stream = NULL;
}

static void restart(void)
{
    bool hold = false;
    for (int i = 0; i < n_ports; i++)
        hold |= ports[i]->dir == PORT_OUT && ports[i]->stream;
    if (hold)
        clock_sleep_until(clock_ns() + DRAIN_MS * 1000000ull);
    for (int i = 0; i < n_ports; i++)
        close_stream(ports[i]);
    stop_library();
    if (start_library() != ERR_OK)
        return;
    for (int i = 0; i < n_ports; i++)
        open_stream(ports[i]);
}

static bool listed(const char *text, const struct port *p)
{
    struct str all = {0};
    char line[PORT_NAME + 2];
    str_addc(&all, '\n');
    list_clients(text, p->dir, &all);
    str_format(line, sizeof line, "\n%s\n", p->name);
    bool found = strstr(str_c(&all), line) != NULL;
    str_fini(&all);
    return found;
}

/* Without the text nothing is known of open streams; while there are none, starting anew disturbs nobody. */
static void watch(void)
{
    char *text = n_ports > 0 ? read_clients() : NULL;
    bool wanted = false, any = false;
    for (int i = 0; i < n_ports; i++) {
        struct port *p = ports[i];
        if (text && p->stream && !listed(text, p))
            close_stream(p);
        any |= p->stream != NULL;
        wanted |= !p->stream && (!text || listed(text, p));
    }
    if (wanted && (text || !any))
        restart();
    free(text);
}

/* ---- for all ---- */

void ports_watch(void)
{
    pthread_mutex_lock(&library);
    watch();
    pthread_mutex_unlock(&library);
}

struct port *port_open(enum port_dir dir, const char *full)
{
    struct port *p = xcalloc(1, sizeof *p);
    p->dir = dir;
    str_copy(p->name, sizeof p->name, full);
    pthread_mutex_lock(&library);
    BUG_ON(n_ports == MAX_PORTS);
    ports[n_ports++] = p;
    if (start_library() == ERR_OK)
        open_stream(p);
    if (!p->stream)
        watch();
    pthread_mutex_unlock(&library);
    return p;
}

void port_close(struct port *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&library);
    close_stream(p);
    for (int i = 0; i < n_ports; i++)
        if (ports[i] == p)
            ports[i] = ports[--n_ports];
    if (n_ports == 0)
        stop_library();
    pthread_mutex_unlock(&library);
    free(p);
}

bool port_there(struct port *p)
{
    pthread_mutex_lock(&library);
    bool there = p->stream != NULL;
    pthread_mutex_unlock(&library);
    return there;
}

void port_write(struct port *p, int32_t when_ms, int status, int a, int b)
{
    pthread_mutex_lock(&library);
    if (p->stream)
        Pm_WriteShort(p->stream, when_ms, Pm_Message(status, a, b));
    pthread_mutex_unlock(&library);
}

int port_read(struct port *p, struct port_event *out, int n)
{
    PmEvent in[32];
    pthread_mutex_lock(&library);
    n = n < (int)COUNT_OF(in) ? n : (int)COUNT_OF(in);
    n = p->stream ? Pm_Read(p->stream, in, n) : 0;
    pthread_mutex_unlock(&library);
    uint64_t now = clock_ns();
    for (int i = 0; i < n; i++) { /* the library's clock turns over, ours does not */
        int32_t ago = (int32_t)((uint32_t)ports_ms(now) - (uint32_t)in[i].timestamp);
        out[i] = (struct port_event){now - (uint64_t)(ago > 0 ? ago : 0) * 1000000u,
                                     (uint8_t)Pm_MessageStatus(in[i].message),
                                     (uint8_t)(Pm_MessageData1(in[i].message) & 127),
                                     (uint8_t)(Pm_MessageData2(in[i].message) & 127)};
    }
    return n > 0 ? n : 0;
}

/* ---- wishes ---- */

void wish_init(struct wish *w, enum port_dir dir)
{
    *w = (struct wish){.dir = dir};
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->changed, NULL);
}

void wish_fini(struct wish *w)
{
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
}

enum err wish_port(struct wish *w, const char *name, bool wait)
{
    char full[PORT_NAME] = "";
    if (name && *name && ports_resolve(w->dir, name, full) != ERR_OK) {
        if (!wait)
            return ERR_DEVICE;
        str_copy(full, sizeof full, name);
    }
    pthread_mutex_lock(&w->mutex);
    str_copy(w->name, sizeof w->name, full);
    w->asked = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
    return ERR_OK;
}

void wish_quit(struct wish *w)
{
    pthread_mutex_lock(&w->mutex);
    w->quit = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

void wish_name(struct wish *w, struct str *out)
{
    pthread_mutex_lock(&w->mutex);
    str_add(out, w->name);
    pthread_mutex_unlock(&w->mutex);
}

enum wish_kind wish_next(struct wish *w, bool idle, char name[PORT_NAME])
{
    pthread_mutex_lock(&w->mutex);
    while (idle && !w->asked && !w->quit)
        pthread_cond_wait(&w->changed, &w->mutex);
    enum wish_kind kind = w->quit ? WISH_QUIT : w->asked ? WISH_PORT : WISH_NOTHING;
    w->asked = false;
    str_copy(name, PORT_NAME, w->name);
    pthread_mutex_unlock(&w->mutex);
    return kind;
}
