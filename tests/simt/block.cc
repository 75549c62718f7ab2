/* block.cc: a block of threads as fibers of the calling thread. A fiber runs until it waits at a barrier; the
 * order in which fibers run turns round with every pass and every grid, so that what depends on an order that
 * CUDA does not promise gives different results. Shared memory starts as NaNs and ends at a closed page. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>
#include "cuda_runtime.h"
#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

enum { STACK = 256 << 10, LANES = 32, MOST_THREADS = 1024 };
enum state { FRESH, READY, AT_WARP, AT_BLOCK, DONE };

#if defined(__x86_64__)
typedef void *context;
#else
typedef ucontext_t context;
#endif

struct fiber {
    context at;
    char *stack;
    state what;
    dim3 id;
    unsigned exchanges;
};

struct warp {
    unsigned live, waiting;
    uint64_t slot[2][LANES];
};

struct block {
    std::vector<fiber> fibers;
    std::vector<warp> warps;
    std::vector<char *> stacks; /* free ones */
    unsigned live, waiting, now;
    const std::function<void(void)> *work;
    context scheduler;
    void *shared;
} b;

[[noreturn]] void fault(const char *what)
{
    fprintf(stderr, "simulated device: %s (block %u %u %u, thread %u %u %u)\n", what, blockIdx.x, blockIdx.y, blockIdx.z,
            threadIdx.x, threadIdx.y, threadIdx.z);
    abort();
}

void fiber_main(void);

/* ------------------------------------------------------------------ switching */

#if defined(__x86_64__)
extern "C" void simt_switch(void **from, void *to);
asm(".text\n"
    ".type simt_switch,@function\n"
    "simt_switch:\n"
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
    "    ret\n"
    ".size simt_switch, .-simt_switch\n");

void make_context(fiber &f)
{
    void **sp = reinterpret_cast<void **>(f.stack + STACK);
    *--sp = nullptr;                                  /* where fiber_main must not return to; aligns the stack */
    *--sp = reinterpret_cast<void *>(fiber_main);
    for (int saved = 0; saved < 6; saved++)
        *--sp = nullptr;
    f.at = sp;
}

void swap_contexts(context *from, context *to)
{
    simt_switch(from, *to);
}
#else
void make_context(fiber &f)
{
    getcontext(&f.at);
    f.at.uc_stack.ss_sp = f.stack;
    f.at.uc_stack.ss_size = STACK;
    f.at.uc_link = nullptr;
    makecontext(&f.at, fiber_main, 0);
}

void swap_contexts(context *from, context *to)
{
    swapcontext(from, to);
}
#endif

#if defined(__SANITIZE_ADDRESS__)
const void *host_stack;
size_t host_size;
void *host_fake;

void resume(fiber &f)
{
    __sanitizer_start_switch_fiber(&host_fake, f.stack, STACK);
    swap_contexts(&b.scheduler, &f.at);
    __sanitizer_finish_switch_fiber(host_fake, nullptr, nullptr);
}

void arrive(void) { __sanitizer_finish_switch_fiber(nullptr, &host_stack, &host_size); }

void suspend(fiber &f)
{
    void *fake = nullptr;
    __sanitizer_start_switch_fiber(f.what == DONE ? nullptr : &fake, host_stack, host_size);
    swap_contexts(&f.at, &b.scheduler);
    __sanitizer_finish_switch_fiber(fake, &host_stack, &host_size);
}
#else
void resume(fiber &f) { swap_contexts(&b.scheduler, &f.at); }
void arrive(void) {}
void suspend(fiber &f) { swap_contexts(&f.at, &b.scheduler); }
#endif

/* ------------------------------------------------------------------ barriers */

void release(unsigned from, unsigned to, state waiting)
{
    for (unsigned i = from; i < to && i < b.fibers.size(); i++)
        if (b.fibers[i].what == waiting)
            b.fibers[i].what = READY;
}

void open_block(void)
{
    if (b.waiting < b.live)
        return;
    b.waiting = 0;
    release(0, (unsigned)b.fibers.size(), AT_BLOCK);
}

/* Waits until all of the warp or the block do. The last to come goes on. */
void wait(state at)
{
    fiber &f = b.fibers[b.now];
    unsigned me = b.now;
    warp &w = b.warps[me / LANES];
    f.what = at;
    if (at == AT_BLOCK) {
        b.waiting++;
        open_block();
    } else if (++w.waiting == w.live) {
        w.waiting = 0;
        release(me / LANES * LANES, me / LANES * LANES + LANES, AT_WARP);
    }
    if (f.what == at)
        suspend(f);
}

void fiber_main(void)
{
    arrive();
    (*b.work)();
    fiber &f = b.fibers[b.now];
    warp &w = b.warps[b.now / LANES];
    f.what = DONE;
    w.live--;
    if (w.waiting)
        fault("a thread ends while others of its warp wait for it");
    b.live--;
    if (b.live)
        open_block();
    suspend(f);
    fault("a finished thread runs");
}

/* ------------------------------------------------------------------ a block */

char *take_stack(void)
{
    if (b.stacks.empty()) {
        void *p = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            fault("no memory for a fiber");
        b.stacks.push_back(static_cast<char *>(p));
    }
    char *s = b.stacks.back();
    b.stacks.pop_back();
    return s;
}

bool step(unsigned i)
{
    fiber &f = b.fibers[i];
    if (f.what != FRESH && f.what != READY)
        return false;
    if (f.what == FRESH) {
        f.stack = take_stack();
        make_context(f);
    }
    f.what = READY;
    b.now = i;
    threadIdx = f.id;
    resume(f);
    if (f.what == DONE)
        b.stacks.push_back(f.stack);
    return true;
}

void run_block(dim3 size, bool backward)
{
    unsigned n = size.x * size.y * size.z;
    b.fibers.assign(n, fiber());
    b.warps.assign((n + LANES - 1) / LANES, warp());
    b.live = n;
    b.waiting = 0;
    for (unsigned i = 0; i < n; i++) {
        b.fibers[i].id = dim3(i % size.x, i / size.x % size.y, i / size.x / size.y);
        b.warps[i / LANES].live++;
    }
    for (; b.live; backward = !backward) {
        bool moved = false;
        for (unsigned i = 0; i < n; i++)
            moved |= step(backward ? n - 1 - i : i);
        if (!moved)
            fault("threads of one block wait at different barriers");
    }
}

/* `bytes` of shared memory that end where a closed page begins. */
char *shared_memory(size_t bytes)
{
    static char *end;
    const size_t most = 256 << 10;
    if (!end) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        void *p = mmap(nullptr, most + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED || mprotect(static_cast<char *>(p) + most, page, PROT_NONE) != 0)
            fault("no shared memory");
        end = static_cast<char *>(p) + most;
    }
    return end - (bytes + 15) / 16 * 16;
}

} // namespace

void __syncthreads(void) { wait(AT_BLOCK); }

void __syncwarp(unsigned) { wait(AT_WARP); }

void *simt_shared(void) { return b.shared; }

static const uint64_t *exchange(uint64_t v)
{
    unsigned me = b.now;
    warp &w = b.warps[me / LANES];
    uint64_t *slot = w.slot[b.fibers[me].exchanges++ & 1];
    if (w.live < LANES)
        fault("values are exchanged in a warp that is not whole");
    slot[me % LANES] = v;
    wait(AT_WARP);
    return slot;
}

uint64_t simt_exchange(uint64_t v, unsigned lane)
{
    return exchange(v)[lane];
}

unsigned simt_vote(bool p)
{
    const uint64_t *slot = exchange(p);
    unsigned bits = 0;
    for (unsigned i = 0; i < LANES; i++)
        bits |= (unsigned)slot[i] << i;
    return bits;
}

void simt_run_grid(dim3 grid, dim3 size, size_t shared, const std::function<void(void)> &thread)
{
    static unsigned grids;
    char *memory = shared_memory(shared);
    bool backward = grids++ & 1;
    b.work = &thread;
    b.shared = memory;
    blockDim = size;
    gridDim = grid;
    size_t n = (size_t)grid.x * grid.y * grid.z;
    for (size_t k = 0; k < n; k++) {
        size_t i = backward ? n - 1 - k : k;
        blockIdx = dim3((unsigned)(i % grid.x), (unsigned)(i / grid.x % grid.y), (unsigned)(i / grid.x / grid.y));
        memset(memory, 0xff, shared);
        run_block(size, backward);
    }
}
