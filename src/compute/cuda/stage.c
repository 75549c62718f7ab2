/* stage.c: copies between ordinary and device memory. Uploads go through two halves of pinned memory: one is filled
 * while the other is on its way, and nobody waits for the device unless both are full. */
#include <string.h>
#include "cuda.h"
#include "mem.h"

enum { HALF = 4 << 20, LINE = 64, MOST_RECENT = 64 };

static struct {
    char *half[2], *down;
    cudaEvent_t sent[2];       /* the last copy out of each half */
    bool pending[2];
    int now;                   /* the half that is being filled */
    size_t used;
} stage;

/* Scalars as they were some calls ago: of each address a short ring of copies in pinned memory. */
static struct {
    float *cell;               /* [MOST_RECENT][RECENT_LAG] */
    cudaEvent_t copied[MOST_RECENT][RECENT_LAG];
    struct { const float *at; unsigned long calls; } entry[MOST_RECENT];
    int n;
} recent;

static enum err new_event(cudaEvent_t *e)
{
    return cuda_check(cudaEventCreateWithFlags(e, cudaEventDisableTiming), "making an event");
}

enum err stage_open(void)
{
    for (int i = 0; i < 2; i++) {
        TRY(cuda_check(cudaMallocHost((void **)&stage.half[i], HALF), "pinning memory"));
        TRY(new_event(&stage.sent[i]));
    }
    TRY(cuda_check(cudaMallocHost((void **)&stage.down, HALF), "pinning memory"));
    TRY(cuda_check(cudaMallocHost((void **)&recent.cell, sizeof(float) * MOST_RECENT * RECENT_LAG), "pinning memory"));
    for (int i = 0; i < MOST_RECENT * RECENT_LAG; i++)
        TRY(new_event(&recent.copied[i / RECENT_LAG][i % RECENT_LAG]));
    return ERR_OK;
}

static void give_event(cudaEvent_t e)
{
    if (e)
        (void)cudaEventDestroy(e);
}

static void give_pinned(void *p)
{
    if (p)
        (void)cudaFreeHost(p);
}

void stage_close(void)
{
    for (int i = 0; i < 2; i++) {
        give_pinned(stage.half[i]);
        give_event(stage.sent[i]);
    }
    give_pinned(stage.down);
    give_pinned(recent.cell);
    for (int i = 0; i < MOST_RECENT * RECENT_LAG; i++)
        give_event(recent.copied[i / RECENT_LAG][i % RECENT_LAG]);
    memset(&stage, 0, sizeof stage);
    memset(&recent, 0, sizeof recent);
}

static enum err next_half(void)
{
    TRY(cuda_check(cudaEventRecord(stage.sent[stage.now], cuda_stream), "marking a copy"));
    stage.pending[stage.now] = true;
    stage.now = !stage.now;
    stage.used = 0;
    if (!stage.pending[stage.now])
        return ERR_OK;
    stage.pending[stage.now] = false;
    return cuda_check(cudaEventSynchronize(stage.sent[stage.now]), "copying to it");
}

enum err stage_upload(void *dst, const void *host, size_t bytes)
{
    for (size_t at = 0, n; at < bytes; at += n) {
        if (stage.used == HALF)
            TRY(next_half());
        n = bytes - at < HALF - stage.used ? bytes - at : HALF - stage.used;
        char *pinned = stage.half[stage.now] + stage.used;
        memcpy(pinned, (const char *)host + at, n);
        TRY(cuda_check(cudaMemcpyAsync((char *)dst + at, pinned, n, cudaMemcpyHostToDevice, cuda_stream), "copying to it"));
        stage.used += (n + LINE - 1) / LINE * LINE;
    }
    return ERR_OK;
}

enum err stage_download(void *host, const void *src, size_t bytes)
{
    for (size_t at = 0, n; at < bytes; at += n) {
        n = bytes - at < HALF ? bytes - at : HALF;
        TRY(cuda_check(cudaMemcpyAsync(stage.down, (const char *)src + at, n, cudaMemcpyDeviceToHost, cuda_stream),
                       "copying from it"));
        TRY(cuda_check(cudaStreamSynchronize(cuda_stream), "copying from it"));
        memcpy((char *)host + at, stage.down, n);
    }
    return ERR_OK;
}

static int recent_entry(const float *at)
{
    for (int i = 0; i < recent.n; i++)
        if (recent.entry[i].at == at)
            return i;
    if (recent.n == MOST_RECENT)
        return -1;
    recent.entry[recent.n].at = at;
    recent.entry[recent.n].calls = 0;
    return recent.n++;
}

enum err recent_read(const float *at, float *out)
{
    int i = recent_entry(at);
    if (i < 0)
        return stage_download(out, at, sizeof *out);
    unsigned long call = recent.entry[i].calls++;
    int slot = (int)(call % RECENT_LAG);
    float *cell = recent.cell + i * RECENT_LAG + slot;
    bool old = call >= RECENT_LAG;
    if (old) {
        TRY(cuda_check(cudaEventSynchronize(recent.copied[i][slot]), "reading a loss"));
        *out = *cell;
    }
    TRY(cuda_check(cudaMemcpyAsync(cell, at, sizeof *cell, cudaMemcpyDeviceToHost, cuda_stream), "reading a loss"));
    TRY(cuda_check(cudaEventRecord(recent.copied[i][slot], cuda_stream), "reading a loss"));
    if (!old) {
        TRY(cuda_check(cudaEventSynchronize(recent.copied[i][slot]), "reading a loss"));
        *out = *cell;
    }
    return ERR_OK;
}

/* After the stream was waited for: copies into the cells are done. */
void recent_forget(void)
{
    recent.n = 0;
}
