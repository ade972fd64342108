/*
 * Two engines with a mutating wire between them. The first byte chooses the cipher, two more
 * the policies, then steps of four bytes. With a real cipher, whatever the wire does, what a
 * program receives is what the other sent, from the start and without a gap.
 */
#include "support/ssh_driver.h"
#include "support/ssh_mutator.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ciphers[][2] = {
    {"none", "hmac-sha2-256"},
    {"aes256-gcm@openssh.com", "hmac-sha2-256"},
    {"chacha20-poly1305@openssh.com", "hmac-sha2-256"},
    {"aes256-ctr", "hmac-sha2-256"},
    {"aes256-ctr", "hmac-sha2-256-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-512-etm@openssh.com"},
};

enum { HEAD = 3, STEP = 4, WIRE_MAX = 1 << 16 };

static struct driver ends[2];

/* Moves up to `most` bytes; those from `at` on are changed as `how` says. */
static bool carry(int from, size_t most, unsigned how, size_t at, uint8_t value)
{
    static uint8_t wire[WIRE_MAX + 1];
    const uint8_t *bytes;
    size_t len = alk_ssh_output(ends[from].ssh, &bytes);

    if (len > most)
        len = most;
    if (len > WIRE_MAX)
        len = WIRE_MAX;
    if (len == 0)
        return false;
    memcpy(wire, bytes, len);
    alk_ssh_output_done(ends[from].ssh, len);
    at %= len;
    if (how == 1) {
        wire[at] ^= value;
    } else if (how == 2) {
        memmove(wire + at, wire + at + 1, len - at - 1);
        len--;
    } else if (how == 3) {
        memmove(wire + at + 1, wire + at, len - at);
        wire[at] = value;
        len++;
    }
    driver_input(&ends[1 - from], wire, len, 0);
    driver_events(&ends[from]);
    return true;
}

static void carry_all(void)
{
    bool moved = true;

    for (int i = 0; i < 64 && moved; i++) {
        moved = carry(0, WIRE_MAX, 0, 0, 0);
        moved |= carry(1, WIRE_MAX, 0, 0, 0);
    }
}

static void step(const uint8_t s[STEP])
{
    int end = s[0] & 1;
    struct driver *d = &ends[end];
    size_t n = (size_t)s[1] << 8 | s[2];

    switch (s[0] >> 1 & 15) {
    case 1:
    case 2:
    case 3:
        carry(end, WIRE_MAX, s[0] >> 1 & 15, n, s[3]);
        break;
    case 4:
        carry(end, n, 0, 0, 0);
        break;
    case 5:
        driver_open(d, end == 0 ? ALK_SSH_FORWARDED_TCPIP : ALK_SSH_DIRECT_TCPIP, "h", 1);
        break;
    case 6:
    case 7:
        driver_write(d, s[3], n);
        break;
    case 8:
        driver_eof(d, s[3]);
        break;
    case 9:
        driver_close(d, s[3]);
        break;
    case 10:
        driver_consume(d, s[3], n);
        break;
    case 11:
        alk_ssh_rekey(d->ssh);
        break;
    case 12:
        driver_tick(d, n);
        break;
    case 13:
        driver_answer(d, s[3], s[2] & 1);
        break;
    default:
        carry_all();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;

    if (size < HEAD)
        return 0;
    unsigned suite = data[0] % 6;
    options.ciphers = ciphers[suite][0];
    options.macs = ciphers[suite][1];
    options.rekey_packets = 1 + data[0] / 6;
    options.max_channels = 16;
    for (int i = 0; i < 2; i++) {
        driver_start(&ends[i], i == 0 ? ALK_SSH_SERVER : ALK_SSH_CLIENT, options);
        memset(ends[i].policy, data[1 + i] & 0x55, DRIVER_POLICY / 2);
        memset(ends[i].policy + DRIVER_POLICY / 2, data[1 + i] | 1, DRIVER_POLICY / 2);
        ends[i].numbered = suite != 0;
    }
    for (size_t at = HEAD; size - at >= STEP; at += STEP)
        step(data + at);
    carry_all();
    for (int i = 0; i < 2; i++)
        driver_free(&ends[i]);
    return 0;
}
