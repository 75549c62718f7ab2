/* piano_work.c: works as pieces; see piano_work.h. */
#include "piano_work.h"
#include "mem.h"

struct key key_of_work(const struct work *k)
{
    return (struct key){ k->tonic < 12 ? (int8_t)k->tonic : -1, k->minor };
}

void piano_piece_of_work(const struct work *k, struct piano_piece *out)
{
    int quarters = (int)k->quarters, bar = 0;
    struct piano_frame *frame = xcalloc((size_t)quarters + 1, sizeof *frame);
    struct qmetre last = work_bar(k, 0);
    for (int q = 0; q < quarters; q++) {
        struct qmetre m = work_bar(k, q * QUARTER_COLS);
        /* A short bar may lie between two quarters. */
        int32_t length = (int32_t)last.num * 4 * QUARTER_COLS / last.den;
        if (m.start > last.start)
            bar += length > 0 && (m.start - last.start) / length > 1 ? (m.start - last.start) / length : 1;
        last = m;
        frame[q] = piano_frame(q * QUARTER_COLS - m.start, m.num, m.den, bar);
        frame[q].left = (int8_t)piano_left(quarters - q);
    }
    piano_piece_init(out, k->notes, k->n, frame, quarters);
}
