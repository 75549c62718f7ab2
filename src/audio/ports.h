/* ports.h: MIDI ports by name. Devices come and go; a port that is open finds its own again. Any thread may
 * call; everything is serialised inside. Private to src/audio. */
#pragma once
#include <pthread.h>
#include <stdint.h>
#include "err.h"
#include "str.h"

enum port_dir { PORT_OUT, PORT_IN };
enum { PORT_NAME = 128, PORT_LATENCY_MS = 15, PORT_AHEAD_MS = 60 };
/* Written messages leave PORT_LATENCY_MS after their moment, and may be written PORT_AHEAD_MS before it. */

struct port;
struct port_event { uint64_t at_ns; uint8_t status, a, b; };

int ports_list(enum port_dir dir, struct str *out);     /* one name a line, read anew; returns how many */
/* The full name of the port of exactly that name, or of the only one whose name holds it; ERR_DEVICE. */
NODISCARD enum err ports_resolve(enum port_dir dir, const char *name, char full[PORT_NAME]);
struct port *port_open(enum port_dir dir, const char *full);   /* a port that is not there is waited for */
void port_close(struct port *p);
bool port_there(struct port *p);
void port_write(struct port *p, int32_t when_ms, int status, int a, int b);
int port_read(struct port *p, struct port_event *out, int n);  /* how many came */
void ports_watch(void);                                 /* look who came and went; cheap, once a second or so */
int32_t ports_ms(uint64_t ns);                          /* the clock of timestamps */

/* Which port a thread is to have, told by others. The thread waits while it has nothing else to do. */
struct wish { pthread_mutex_t mutex; pthread_cond_t changed; enum port_dir dir; char name[PORT_NAME]; bool asked, quit; };
enum wish_kind { WISH_NOTHING, WISH_PORT, WISH_QUIT };
void wish_init(struct wish *w, enum port_dir dir);
void wish_fini(struct wish *w);
/* A unique part of a name, or ERR_DEVICE; with `wait` a name that is not there is good too. NULL, "" = none. */
NODISCARD enum err wish_port(struct wish *w, const char *name, bool wait);
void wish_quit(struct wish *w);
void wish_name(struct wish *w, struct str *out);
enum wish_kind wish_next(struct wish *w, bool idle, char name[PORT_NAME]);

/* Where Linux tells who is there; a test has its own. */
extern const char *ports_clients_file;
