#include "support/ssh_open.h"
#include "support/ssh_mutator.h"

#include "ssh/engine.h"

#include <string.h>

static void message(struct driver *d, const uint8_t *payload, size_t len)
{
    static uint8_t packet[UINT16_MAX + 64];

    driver_input(d, packet, frame_packet(payload, len, packet, sizeof(packet)), 0);
}

static void open_channel(struct driver *d, struct alk_reader *r)
{
    char host[64] = {0};
    unsigned kind = alk_get_u8(r);
    size_t len = (size_t)(r->end - r->at);

    memcpy(host, r->at, len < sizeof(host) ? len : sizeof(host) - 1);
    driver_open(d, kind, host, 80);
}

static void forward(struct driver *d, struct alk_reader *r)
{
    unsigned kind = alk_get_u8(r);

    if (d->role == ALK_SSH_CLIENT)
        alk_ssh_forward_request(d->ssh, ALK_SSH_FORWARDED_TCPIP + kind % 2, kind & 2, "host",
                                kind & 4 ? 0 : 80, d);
}

static void much_data(struct driver *d, struct alk_reader *r)
{
    static uint8_t payload[9 + ALK_SSH_DATA_MAX + 8];
    struct alk_writer w = alk_writer(payload, 9);

    alk_put_u8(&w, SSH_MSG_CHANNEL_DATA);
    alk_put_u32(&w, alk_get_u8(r));
    unsigned packets = alk_get_u8(r);
    uint32_t len = alk_get_u32(r) % (ALK_SSH_DATA_MAX + 2);
    alk_put_u32(&w, len);
    for (unsigned i = 0; i < packets && d->status >= 0; i++)
        message(d, payload, 9 + len);
}

static void operate(struct driver *d, unsigned operation, const uint8_t *body, size_t len)
{
    struct alk_reader r = alk_reader(body, len);

    switch (operation) {
    case OPEN_RAW:
        driver_input(d, body, len, 0);
        break;
    case OPEN_WRITE: {
        unsigned which = alk_get_u8(&r);
        driver_write(d, which, alk_get_u32(&r) % (1 << 20));
        break;
    }
    case OPEN_EOF:
        driver_eof(d, alk_get_u8(&r));
        break;
    case OPEN_CLOSE:
        driver_close(d, alk_get_u8(&r));
        break;
    case OPEN_CHANNEL:
        open_channel(d, &r);
        break;
    case OPEN_FORWARD:
        forward(d, &r);
        break;
    case OPEN_CONSUME: {
        unsigned which = alk_get_u8(&r);
        driver_consume(d, which, alk_get_u32(&r));
        break;
    }
    case OPEN_ANSWER: {
        unsigned which = alk_get_u8(&r);
        driver_answer(d, which, alk_get_bool(&r));
        break;
    }
    case OPEN_TICK:
        driver_tick(d, alk_get_u32(&r) % (4000 * 1000));
        break;
    case OPEN_DRAIN:
        driver_drain(d, SIZE_MAX);
        break;
    case OPEN_REKEY:
        alk_ssh_rekey(d->ssh);
        break;
    case OPEN_FLOOD:
        for (int i = 0; i < 100 && d->status >= 0; i++)
            message(d, body, len);
        break;
    case OPEN_DATA:
        much_data(d, &r);
        break;
    default:
        message(d, body, len);
        break;
    }
}

int open_run(enum alk_ssh_role role, const uint8_t *data, size_t size)
{
    struct alk_ssh_options options = ALK_SSH_OPTIONS_INIT;
    static struct driver d;

    if (size < OPEN_HEAD)
        return 0;
    options.ciphers = "none";
    options.max_channels = 64;
    options.window_max = 8U << 20;
    driver_start(&d, role, options);
    memcpy(d.policy, data, DRIVER_POLICY);
    d.clear_output = true;
    ssh_fuzz_open(d.ssh);
    struct alk_reader r = alk_reader(data + OPEN_HEAD, size - OPEN_HEAD);
    while (r.end - r.at >= 3 && d.status >= 0) {
        unsigned operation = alk_get_u8(&r) % OPEN_COUNT;
        size_t len = (size_t)alk_get_u8(&r) << 8;
        len |= alk_get_u8(&r);
        if (len > (size_t)(r.end - r.at))
            len = (size_t)(r.end - r.at);
        operate(&d, operation, alk_get_bytes(&r, len).data, len);
        driver_events(&d);
    }
    driver_drain(&d, SIZE_MAX);
    driver_events(&d);
    driver_free(&d);
    return 0;
}
