/* plan.c: a graph made runnable. plan_new lowers macros the device has no kernel for, orders the needed
 * nodes, fuses, gives every value a place in one arena and every step its kernel. A run then only walks the
 * steps. Steps that do not depend on anything that changes (all params, in a frozen plan) come first and run
 * once: folded weights and prepacked factors fall out of that rule. */
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "schedule.h"

struct ref { int buffer; size_t offset; }; /* where a value lies; buffer -1: nowhere */

/* A step, and what it needs to get its pointers. */
struct slot {
    struct step step;
    const struct kernel *kernel;
    struct ref *in;
    int n_in;
    struct ref out, work, packed;
    double flops;
};

struct output {
    struct ref at;
    size_t bytes;
    bool direct;  /* its buffer holds nothing else: bound memory replaces it */
    void *bound;
};

struct plan {
    struct device *device;
    struct schedule s;
    struct arena memory;          /* of slots, references and programs */
    struct slot *slots;
    int n_slots, n_once;
    struct output *outputs;
    int n_outputs;
    void *arena, *constants;      /* the latter: copies of the graph's for devices with a memory of their own */
    size_t arena_bytes;
    void *recordings;             /* of the device, see backend.play */
    uint64_t key;                 /* of the addresses in use */
    bool unresolved;              /* pointers changed since the last run */
    bool cold;                    /* the once-only steps have to run */
};

int buffer_new(struct schedule *s, size_t bytes, int first, int last)
{
    s->buffers = xgrow(s->buffers, (size_t)s->n_buffers, &s->cap_buffers, sizeof(*s->buffers));
    s->buffers[s->n_buffers] = (struct buffer){ .bytes = bytes, .first = first, .last = last };
    return s->n_buffers++;
}

/* ------------------------------------------------------------------ steps */

static struct ref ref_of(const struct schedule *s, const struct node *n)
{
    const struct item *it = item_of(s, n);
    return (struct ref){ it->buffer, it->offset };
}

static void read_by(struct schedule *s, struct ref r, int slot)
{
    struct buffer *b = &s->buffers[r.buffer];
    if (b->last < slot)
        b->last = slot;
}

static struct slot *slot_new(struct plan *p, const struct kernel *k, const struct node *n, int n_in)
{
    struct slot *sl = &p->slots[p->n_slots++];
    *sl = (struct slot){ .step = { .run = k->run, .node = n }, .kernel = k, .n_in = n_in,
                         .out = { -1, 0 }, .work = { -1, 0 }, .packed = { -1, 0 } };
    sl->in = arena_alloc(&p->memory, (size_t)(n_in + 1) * sizeof(*sl->in));
    sl->step.in = arena_alloc(&p->memory, (size_t)(n_in + 1) * sizeof(*sl->step.in));
    return sl;
}

static void slot_inputs(struct plan *p, struct slot *sl, struct node *const *in)
{
    for (int k = 0; k < sl->n_in; k++) {
        sl->in[k] = in[k] ? ref_of(&p->s, in[k]) : (struct ref){ -1, 0 };
        if (in[k])
            read_by(&p->s, sl->in[k], p->n_slots - 1);
    }
}

static const struct kernel *kernel_for(const struct plan *p, const struct node *n)
{
    const struct kernel *k = backend_kernel(p->s.backend, n, p->s.reference);
    if (!k)
        err_bug_at("plan: no kernel for", 0, op_rows[n->op].name);
    return k;
}

static enum act act_of(const struct node *n, float *slope)
{
    *slope = n->op == OP_LEAKY ? n->attr.c : 0;
    return n->op == OP_LEAKY     ? ACT_LEAKY
           : n->op == OP_TANH    ? ACT_TANH
           : n->op == OP_SIGMOID ? ACT_SIGMOID
                                 : ACT_GELU;
}

/* Makes the step that computes item i, and its buffer. */
static void add_step(struct plan *p, int i)
{
    struct schedule *s = &p->s;
    struct item *it = &s->items[i];
    const struct node *n = it->product >= 0 ? s->items[it->product].node : it->node;
    struct node *inputs[PROGRAM_INPUTS];
    struct program *prog = NULL;
    if (node_flag(n, F_ELEM) || it->chain >= 0) {
        prog = arena_alloc(&p->memory, sizeof(*prog));
        program_build(s, it->chain >= 0 ? it->chain : i, prog, inputs);
    }
    const struct kernel *k = kernel_for(p, n);
    struct slot *sl = slot_new(p, k, n, prog ? prog->n_in : n->n_in);
    int at = p->n_slots - 1;
    sl->step.program = prog;
    sl->flops = op_flops(n) * (prog ? prog->n_ops : 1);
    if (it->product >= 0)
        sl->step.act = act_of(it->node, &sl->step.slope);
    slot_inputs(p, sl, prog ? inputs : n->in);
    size_t bytes = node_count(it->node) * sizeof(float);
    it->buffer = buffer_new(s, bytes, at, at);
    it->offset = 0;
    sl->out = ref_of(s, it->node);
    read_by(s, sl->out, it->output ? INT_MAX : at);
    size_t work = k->work ? k->work(n, pool_size(p->device->pool)) : 0;
    if (work)
        sl->work = (struct ref){ buffer_new(s, work, at, at), 0 };
}

/* The state is written last: whoever reads it in the same run sees the old value. */
static void add_store(struct plan *p, struct item *it)
{
    struct slot *sl = slot_new(p, &p->s.backend->store, it->node, 2);
    slot_inputs(p, sl, it->node->in);
    sl->out = sl->in[1];
}

static void place_view(struct schedule *s, struct item *it)
{
    const struct node *n = it->node;
    struct ref r = ref_of(s, n->in[0]);
    size_t skip = 0;
    if (n->op == OP_SLICE) {
        struct span span;
        span_of(n->in[0]->shape, 1u << n->attr.window.axis, &span);
        skip = (size_t)n->attr.window.a * span.inner * sizeof(float);
    }
    it->buffer = r.buffer;
    it->offset = r.offset + skip;
    if (it->output)
        read_by(s, r, INT_MAX);
}

static void place_leaf(struct schedule *s, struct item *it)
{
    it->buffer = buffer_new(s, node_count(it->node) * sizeof(float), 0, INT_MAX);
    s->buffers[it->buffer].outside = true;
    s->buffers[it->buffer].base = (void *)(uintptr_t)it->node->data;
}

static void place_item(struct plan *p, int i)
{
    struct item *it = &p->s.items[i];
    switch (it->role) {
    case ROLE_LEAF: place_leaf(&p->s, it); break;
    case ROLE_VIEW: place_view(&p->s, it); break;
    case ROLE_STEP: add_step(p, i); break;
    case ROLE_INLINE: it->buffer = -1; break;
    }
}

/* Products whose second factor never changes read it prepacked. */
static bool packs(const struct plan *p, const struct item *it)
{
    const struct node *n = it->product >= 0 ? p->s.items[it->product].node : it->node;
    bool product = n->op == OP_LINEAR || n->op == OP_CONV ||
                   (n->op == OP_MATMUL && n->in[1]->shape.rank == 2 && !n->attr.matmul.ta);
    return product && p->s.backend->pack.work(n, 1) > 0 && p->s.frozen && !p->s.reference && it->role == ROLE_STEP && !it->fixed &&
           item_of(&p->s, n->in[1])->fixed;
}

static const struct node *product_of(const struct plan *p, const struct item *it)
{
    return it->product >= 0 ? p->s.items[it->product].node : it->node;
}

static bool same_packing(const struct node *a, const struct node *b)
{
    return a->in[1] == b->in[1] && a->op == b->op &&
           (a->op != OP_MATMUL || a->attr.matmul.tb == b->attr.matmul.tb);
}

/* One packing step for each factor and orientation; packed[i] is the buffer for item i. */
static void add_packing(struct plan *p, int *packed)
{
    const struct kernel *k = &p->s.backend->pack;
    for (int i = 0; i < p->s.n_items; i++) {
        packed[i] = -1;
        if (!packs(p, &p->s.items[i]))
            continue;
        const struct node *n = product_of(p, &p->s.items[i]);
        for (int j = 0; j < i; j++)
            if (packed[j] >= 0 && same_packing(product_of(p, &p->s.items[j]), n))
                packed[i] = packed[j];
        if (packed[i] >= 0)
            continue;
        struct slot *sl = slot_new(p, k, n, 1);
        slot_inputs(p, sl, &n->in[1]);
        packed[i] = buffer_new(&p->s, k->work(n, 1), p->n_slots - 1, INT_MAX);
        sl->out = (struct ref){ packed[i], 0 };
    }
}

/* Fixed values that later steps or the caller read live as long as the plan. */
static void pin_fixed(struct plan *p)
{
    for (int b = 0; b < p->s.n_buffers; b++)
        if (p->s.buffers[b].first < p->n_once && p->s.buffers[b].last >= p->n_once)
            p->s.buffers[b].last = INT_MAX;
}

/* An element-wise step may write over an input that dies with it: the buffer to take, or -1. */
static int reusable_input(const struct plan *p, int slot)
{
    const struct slot *sl = &p->slots[slot];
    const struct program *prog = sl->step.program;
    for (int k = 0; k < sl->n_in && node_flag(sl->step.node, F_ELEM); k++) {
        const struct buffer *b = sl->in[k].buffer >= 0 ? &p->s.buffers[sl->in[k].buffer] : NULL;
        if (b && !b->outside && b->bytes == p->s.buffers[sl->out.buffer].bytes && b->last == slot &&
            b->first >= p->n_once && !prog->in[k].spread)
            return sl->in[k].buffer;
    }
    return -1;
}

static void reuse_buffers(struct plan *p)
{
    int *now = xcalloc((size_t)p->s.n_buffers + 1, sizeof(*now)); /* the buffer each one has become */
    for (int b = 0; b < p->s.n_buffers; b++)
        now[b] = b;
    for (int i = 0; i < p->n_slots; i++) {
        struct slot *sl = &p->slots[i];
        for (int k = 0; k < sl->n_in; k++)
            if (sl->in[k].buffer >= 0)
                sl->in[k].buffer = now[sl->in[k].buffer];
        int old = sl->out.buffer, taken = reusable_input(p, i);
        if (taken >= 0) {
            p->s.buffers[taken].last = p->s.buffers[old].last;
            p->s.buffers[old].bytes = 0;
            now[old] = taken;
        }
        sl->out.buffer = now[old];
    }
    for (int i = 0; i < p->s.n_items; i++)
        if (p->s.items[i].buffer >= 0)
            p->s.items[i].buffer = now[p->s.items[i].buffer];
    free(now);
}

static void make_steps(struct plan *p)
{
    struct schedule *s = &p->s;
    int *packed = xcalloc((size_t)s->n_items + 1, sizeof(*packed));
    p->slots = xcalloc((size_t)s->n_items * 2 + 1, sizeof(*p->slots));
    for (int i = 0; i < s->n_items; i++)
        if (s->items[i].fixed)
            place_item(p, i);
    add_packing(p, packed);
    p->n_once = p->n_slots;
    for (int i = 0; i < s->n_items; i++) {
        int before = p->n_slots;
        if (s->items[i].fixed)
            continue;
        place_item(p, i);
        if (packed[i] >= 0 && p->n_slots > before)
            p->slots[before].packed = (struct ref){ packed[i], 0 };
    }
    for (int i = 0; i < s->n_items; i++)
        if (s->items[i].node->op == OP_STORE)
            add_store(p, &s->items[i]);
    pin_fixed(p);
    if (!s->reference)
        reuse_buffers(p);
    free(packed);
}

/* ------------------------------------------------------------------ outputs and memory */

static void make_outputs(struct plan *p, struct node *const *outs, int n)
{
    p->outputs = xcalloc((size_t)n + 1, sizeof(*p->outputs));
    p->n_outputs = n;
    for (int i = 0; i < n; i++) {
        struct output *o = &p->outputs[i];
        o->at = ref_of(&p->s, outs[i]);
        o->bytes = node_count(outs[i]) * sizeof(float);
        const struct buffer *b = &p->s.buffers[o->at.buffer];
        o->direct = !b->outside && o->at.offset == 0 && b->bytes == o->bytes && b->first >= p->n_once;
        for (int k = 0; k < i && o->direct; k++)
            o->direct = p->outputs[k].at.buffer != o->at.buffer;
    }
}

/* A device that cannot read the graph's constants gets copies, a cache line apart. */
static enum err copy_constants(struct plan *p)
{
    enum { LINE = 64 };
    size_t bytes = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (int i = 0; i < p->s.n_items; i++) {
            const struct node *n = p->s.items[i].node;
            size_t size = node_count(n) * sizeof(float);
            if (n->op != OP_CONST)
                continue;
            if (pass == 1) {
                void *copy = (char *)p->constants + at;
                p->s.buffers[p->s.items[i].buffer].base = copy;
                TRY(device_upload(p->device, copy, n->data, size));
            }
            at += (size + LINE - 1) / LINE * LINE;
        }
        bytes = at;
        if (pass == 0 && bytes > 0)
            TRY(device_alloc(p->device, bytes, &p->constants));
    }
    return ERR_OK;
}

static enum err prepare_steps(struct plan *p)
{
    for (int i = 0; i < p->n_slots; i++) {
        struct slot *sl = &p->slots[i];
        if (sl->kernel->prepare)
            TRY(sl->kernel->prepare(p->device, &sl->step));
    }
    return ERR_OK;
}

static enum err take_memory(struct plan *p)
{
    if (p->arena_bytes)
        TRY(device_alloc(p->device, p->arena_bytes, &p->arena));
    if (!p->s.backend->host)
        TRY(copy_constants(p));
    return prepare_steps(p);
}

enum err plan_new(struct device *d, struct graph *g, struct node *const *outputs, int n,
                  const struct plan_opts *opts, struct plan **out)
{
    struct plan *p = xcalloc(1, sizeof(*p));
    struct node **outs = xcalloc((size_t)n + 1, sizeof(*outs));
    memcpy(outs, outputs, (size_t)n * sizeof(*outs));
    p->device = d;
    p->s = (struct schedule){ .graph = g, .backend = d->backend, .frozen = opts && opts->frozen,
                              .reference = opts && opts->reference };
    arena_init(&p->memory);
    order(&p->s, outs, n);
    fuse(&p->s);
    make_steps(p);
    make_outputs(p, outs, n);
    free(outs);
    p->arena_bytes = place(p->s.buffers, p->s.n_buffers);
    p->unresolved = p->cold = true;
    enum err err = take_memory(p);
    if (err != ERR_OK) {
        plan_free(p);
        return err;
    }
    *out = p;
    return ERR_OK;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    if (p->recordings)
        p->s.backend->forget(p->device, p->recordings);
    for (int i = 0; i < p->n_slots; i++)
        if (p->slots[i].kernel->release)
            p->slots[i].kernel->release(&p->slots[i].step);
    if (p->arena)
        device_free(p->device, p->arena);
    if (p->constants)
        device_free(p->device, p->constants);
    arena_fini(&p->memory);
    free(p->slots);
    free(p->outputs);
    free(p->s.items);
    free(p->s.index);
    free(p->s.buffers);
    free(p);
}

/* ------------------------------------------------------------------ binding and running */

static void bind_item(struct plan *p, struct item *it, void *data)
{
    p->s.buffers[it->buffer].base = data;
    p->unresolved = true;
    p->cold |= it->fixed;
}

void plan_bind(struct plan *p, const struct node *leaf, void *data)
{
    plan_bind_name(p, leaf->name, data);
}

void plan_bind_name(struct plan *p, const char *leaf_name, void *data)
{
    for (int i = 0; i < p->s.n_items; i++) {
        struct item *it = &p->s.items[i];
        if (it->role == ROLE_LEAF && it->node->name && strcmp(it->node->name, leaf_name) == 0)
            bind_item(p, it, data);
    }
}

void plan_bind_output(struct plan *p, int i, void *data)
{
    BUG_ON(i < 0 || i >= p->n_outputs);
    struct output *o = &p->outputs[i];
    o->bound = data;
    if (o->direct)
        p->s.buffers[o->at.buffer].bound = data;
    p->unresolved = true;
}

static void *address(const struct plan *p, struct ref r)
{
    if (r.buffer < 0)
        return NULL;
    const struct buffer *b = &p->s.buffers[r.buffer];
    char *base = b->bound ? b->bound : b->outside ? b->base : (char *)p->arena + b->offset;
    return base ? base + r.offset : NULL;
}

void *plan_output(const struct plan *p, int i)
{
    BUG_ON(i < 0 || i >= p->n_outputs);
    return p->outputs[i].bound ? p->outputs[i].bound : address(p, p->outputs[i].at);
}

static void check_bound(const struct plan *p)
{
    for (int i = 0; i < p->s.n_items; i++) {
        const struct item *it = &p->s.items[i];
        if (it->role == ROLE_LEAF && !p->s.buffers[it->buffer].base)
            err_bug_at("plan_run: this leaf has no memory", 0, it->node->name);
    }
}

static uint64_t mix(uint64_t key, const void *address)
{
    return (key ^ (uintptr_t)address) * 0x9e3779b97f4a7c15u;
}

/* Runs that read and write at the same places have the same key. */
static uint64_t key_of(const struct plan *p)
{
    uint64_t key = 0;
    for (int i = 0; i < p->s.n_buffers; i++)
        key = mix(mix(key, p->s.buffers[i].base), p->s.buffers[i].bound) ^ key >> 29;
    for (int i = 0; i < p->n_outputs; i++)
        key = mix(key, p->outputs[i].bound) ^ key >> 29;
    return key;
}

static void resolve(struct plan *p)
{
    check_bound(p);
    if (p->s.backend->play)
        p->key = key_of(p);
    for (int i = 0; i < p->n_slots; i++) {
        struct slot *sl = &p->slots[i];
        for (int k = 0; k < sl->n_in; k++)
            sl->step.in[k] = address(p, sl->in[k]);
        sl->step.out = address(p, sl->out);
        sl->step.work = address(p, sl->work);
        sl->step.packed = address(p, sl->packed);
    }
    p->unresolved = false;
}

static bool run_steps(struct plan *p, int from, int to, const atomic_bool *cancel)
{
    for (int i = from; i < to; i++) {
        if (cancel && atomic_load_explicit(cancel, memory_order_relaxed))
            return false;
        p->slots[i].step.run(&p->slots[i].step, p->device->pool);
    }
    return true;
}

/* Bound outputs that share their memory with something else are copied at the end. */
static enum err copy_outputs(struct plan *p)
{
    for (int i = 0; i < p->n_outputs; i++) {
        struct output *o = &p->outputs[i];
        void *src = address(p, o->at);
        if (o->bound && src != o->bound)
            TRY(p->s.backend->copy(p->device, o->bound, src, o->bytes));
    }
    return ERR_OK;
}

static void warm_up(struct plan *p)
{
    if (p->unresolved)
        resolve(p);
    if (p->cold)
        run_steps(p, 0, p->n_once, NULL);
    p->cold = false;
}

void plan_refresh(struct plan *p)
{
    p->cold = true;
}

static enum err enqueue_run(void *plan)
{
    struct plan *p = plan;
    run_steps(p, p->n_once, p->n_slots, NULL);
    return copy_outputs(p);
}

static enum err run_once(struct plan *p, const atomic_bool *cancel)
{
    const struct backend *b = p->s.backend;
    bool played = b->play && !(cancel && atomic_load_explicit(cancel, memory_order_relaxed));
    if (played)
        return b->play(p->device, &p->recordings, p->key, enqueue_run, p);
    bool done = !b->play && run_steps(p, p->n_once, p->n_slots, cancel);
    return done ? copy_outputs(p) : err_set(ERR_CANCELLED, "cancelled");
}

enum err plan_run(struct plan *p, const atomic_bool *cancel)
{
    unsigned saved;
    p->device->backend->begin(p->device, &saved);
    warm_up(p);
    enum err err = run_once(p, cancel);
    p->device->backend->end(p->device, saved);
    return err;
}

size_t plan_arena_bytes(const struct plan *p)
{
    return p->arena_bytes;
}

double plan_flops(const struct plan *p)
{
    double sum = 0;
    for (int i = p->n_once; i < p->n_slots; i++)
        sum += p->slots[i].flops;
    return sum;
}

static void print_slot(const struct plan *p, int i, double us, struct str *out)
{
    const struct slot *sl = &p->slots[i];
    const struct buffer *b = sl->out.buffer >= 0 ? &p->s.buffers[sl->out.buffer] : NULL;
    char op[128], shape[64];
    op_print(sl->step.node, op, sizeof(op));
    shape_print(sl->step.node->shape, shape);
    str_addf(out, "%4d%c %-8s %-28s %-24s", i, i < p->n_once ? '*' : ' ', sl->kernel->name, op, shape);
    if (sl->step.program)
        str_addf(out, " %d ops", sl->step.program->n_ops);
    if (b && b->outside)
        str_add(out, " outside");
    else if (b)
        str_addf(out, " @%zu+%zu", b->offset, b->bytes);
    if (us >= 0)
        str_addf(out, " %.1f us %.1f GF/s", us, us > 0 ? sl->flops / us * 1e-3 : 0.0);
    str_addc(out, '\n');
}

void plan_print(const struct plan *p, bool timed, struct str *out)
{
    struct plan *run = (struct plan *)(uintptr_t)p; /* a timed print is a run */
    unsigned saved = 0;
    p->device->backend->begin(p->device, &saved);
    if (timed)
        warm_up(run);
    for (int i = 0; i < p->n_slots; i++) {
        double us = -1;
        if (timed && i >= p->n_once) {
            uint64_t t = clock_ns();
            run_steps(run, i, i + 1, NULL);
            if (p->s.backend->wait && p->s.backend->wait(p->device) != ERR_OK)
                break;
            us = (double)(clock_ns() - t) * 1e-3;
        }
        print_slot(p, i, us, out);
    }
    p->device->backend->end(p->device, saved);
    str_addf(out, "%d steps, %zu bytes, %.3g flops\n", p->n_slots, p->arena_bytes, plan_flops(p));
}
