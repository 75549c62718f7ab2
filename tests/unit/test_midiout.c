/* test_midiout.c: the MIDI output against a port of our own in place of PortMidi: order, timestamps ahead of
 * time, jitter, silence at the end. The functions below take the library's place when the test is linked. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <portmidi.h>
#include <stdatomic.h>
#include <string.h>
#include "clock.h"
#include "midiout.h"
#include "open_port.h"

enum { MAX_SENT = 20000 };
struct sent { uint64_t written_ns; PmTimestamp when; int status, a, b; };
static struct sent sent[MAX_SENT];
static atomic_int n_sent;
static int n_devices = 3, opened, initialised, latency;
static const PmDeviceInfo device[] = {
    {.name = "Midi Through Port-0", .output = 1}, {.name = "Keys In", .input = 1}, {.name = "Synth Port-0", .output = 1}};

PmError Pm_Initialize(void)
{
    initialised++;
    return pmNoError;
}

PmError Pm_Terminate(void)
{
    initialised--;
    return pmNoError;
}

int Pm_CountDevices(void)
{
    return n_devices;
}

const PmDeviceInfo *Pm_GetDeviceInfo(PmDeviceID id)
{
    return id >= 0 && id < n_devices ? &device[id] : NULL;
}

const char *Pm_GetErrorText(PmError e)
{
    (void)e;
    return "no";
}

PmError Pm_OpenOutput(PortMidiStream **stream, PmDeviceID id, void *info, int32_t size, PmTimeProcPtr proc,
                      void *proc_info, int32_t late)
{
    (void)info, (void)size, (void)proc, (void)proc_info;
    *stream = (PortMidiStream *)&device[id];
    latency = late;
    opened++;
    return pmNoError;
}

PmError Pm_Close(PortMidiStream *stream)
{
    (void)stream;
    opened--;
    return pmNoError;
}

PmError Pm_WriteShort(PortMidiStream *stream, PmTimestamp when, int32_t msg)
{
    (void)stream;
    int i = atomic_load(&n_sent);
    assert_true(i < MAX_SENT);
    sent[i] = (struct sent){clock_ns(), when, Pm_MessageStatus(msg), Pm_MessageData1(msg), Pm_MessageData2(msg)};
    atomic_store(&n_sent, i + 1);
    return pmNoError;
}

static void test_names(void **state)
{
    (void)state;
    struct str list = {0};
    assert_int_equal(midiout_list(&list), 2);
    assert_string_equal(str_c(&list), "Midi Through Port-0\nSynth Port-0\n");
    str_fini(&list);
    struct midiout *m = NULL;
    assert_int_equal(open_port("port", &m), ERR_DEVICE);
    assert_non_null(strstr(err_text(), "more than one"));
    assert_int_equal(open_port("keys", &m), ERR_DEVICE); /* an input */
    n_devices = 0;
    assert_int_equal(open_port("synth", &m), ERR_DEVICE);
    assert_non_null(strstr(err_text(), "no MIDI output"));
    n_devices = 3;
    assert_int_equal(open_port("synth", &m), ERR_OK);
    struct str full = {0};
    midiout_name(m, &full);
    assert_string_equal(str_c(&full), "Synth Port-0");
    str_fini(&full);
    assert_true(latency > 0);
    midiout_close(m);
    midiout_close(NULL);
    assert_int_equal(opened, 0);
    assert_int_equal(initialised, 0);
}

/* Half a second of sixteenths: every message is written before it is due, with the moment it is due. */
static void test_timestamps(void **state)
{
    (void)state;
    struct midiout *m = NULL;
    assert_int_equal(open_port("synth", &m), ERR_OK);
    atomic_store(&n_sent, 0);
    uint64_t start = clock_ns() + 80000000u;
    for (int i = 0; i < 50; i++) {
        uint64_t at = start + (uint64_t)i * 10000000u;
        assert_true(midiout_send(m, at, (i % 2 ? 0x80 : 0x90) | 2, 60, i % 2 ? 0 : 100));
    }
    clock_sleep_until(start + 500000000u);
    assert_int_equal(atomic_load(&n_sent), 50);
    int late = 0;
    for (int i = 0; i < 50; i++) {
        uint64_t at = start + (uint64_t)i * 10000000u;
        assert_int_equal(sent[i].when, (PmTimestamp)(at / 1000000u));
        assert_true(sent[i].written_ns + 70000000u > at); /* not heaped up in the driver */
        late += sent[i].written_ns > at + (uint64_t)latency * 1000000u;
    }
    assert_true(late <= 1);
    midiout_close(m);
}

static void test_close_silences(void **state)
{
    (void)state;
    struct midiout *m = NULL;
    assert_int_equal(open_port("synth", &m), ERR_OK);
    atomic_store(&n_sent, 0);
    uint64_t now = clock_ns();
    midiout_send(m, now, 0x90, 60, 100);
    midiout_send(m, now, 0x90, 64, 100);
    midiout_send(m, now, 0x80, 64, 0);
    midiout_send(m, now, 0x99, 36, 100);
    midiout_send(m, now + 3600000000000u, 0x90, 99, 100); /* an hour away: never sent */
    clock_sleep_until(now + 30000000u);
    midiout_panic(m);
    clock_sleep_until(now + 60000000u);
    midiout_send(m, clock_ns(), 0x90, 62, 100);
    clock_sleep_until(now + 80000000u);
    midiout_close(m);
    int on[16][128] = {0}, all_off[16] = {0}, n = atomic_load(&n_sent);
    for (int i = 0; i < n; i++) {
        int c = sent[i].status & 15, kind = sent[i].status & 0xf0;
        assert_true(i == 0 || sent[i].when >= sent[i - 1].when);
        assert_int_not_equal(sent[i].a, 99);
        if (kind == 0x90)
            on[c][sent[i].a]++;
        if (kind == 0x80)
            on[c][sent[i].a]--;
        all_off[c] += kind == 0xb0 && sent[i].a == 123;
    }
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            assert_int_equal(on[c][p], 0);
    assert_int_equal(all_off[0], 2);
    assert_int_equal(all_off[9], 2);
    assert_int_equal(all_off[5], 0);
}

static void test_full_ring(void **state)
{
    (void)state;
    struct midiout *m = NULL;
    assert_int_equal(open_port("synth", &m), ERR_OK);
    uint64_t later = clock_ns() + 3600000000000u;
    int n = 0;
    while (n < 100000 && midiout_send(m, later, 0x90, 60, 1))
        n++;
    assert_true(n > 1000 && n < 100000);
    midiout_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_timestamps), cmocka_unit_test(test_close_silences),
        cmocka_unit_test(test_full_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
