#include "support/ssh_mutator.h"

#include "ssh/message.h"
#include "ssh/wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

enum { FRAMES_MAX = 200, BODY_MAX = 40000, RECORD_HEAD = 3, PACKET_HEAD = 5 };

struct frame {
    const uint8_t *body;
    size_t len;
    uint8_t operation; /* of a record */
};

struct format {
    /* Reads the frame at the front; returns its whole length, 0 when there is none. */
    size_t (*read)(const uint8_t *data, size_t size, struct frame *frame);
    size_t (*write)(const struct frame *frame, uint8_t *out, size_t size);
};

/* ---- the two formats ---- */

static size_t read_packet(const uint8_t *data, size_t size, struct frame *frame)
{
    struct alk_reader r = alk_reader(data, size);
    size_t length = alk_get_u32(&r);
    size_t padding = alk_get_u8(&r);

    if (!alk_reader_ok(&r) || length + 4 > size || length < 1 + padding)
        return 0;
    *frame = (struct frame){.body = data + PACKET_HEAD, .len = length - 1 - padding};
    return length + 4;
}

size_t frame_packet(const uint8_t *payload, size_t len, uint8_t *out, size_t size)
{
    size_t padding = 8 - (PACKET_HEAD + len) % 8;
    struct alk_writer w = alk_writer(out, size);

    padding += padding < 4 ? 8 : 0;
    alk_put_u32(&w, (uint32_t)(1 + len + padding));
    alk_put_u8(&w, (uint8_t)padding);
    alk_put_bytes(&w, payload, len);
    for (size_t i = 0; i < padding; i++)
        alk_put_u8(&w, 0);
    return w.broken ? 0 : alk_writer_len(&w);
}

static size_t write_packet(const struct frame *frame, uint8_t *out, size_t size)
{
    return frame_packet(frame->body, frame->len, out, size);
}

static size_t read_record(const uint8_t *data, size_t size, struct frame *frame)
{
    if (size < RECORD_HEAD)
        return 0;
    size_t len = (size_t)data[1] << 8 | data[2];
    if (len > size - RECORD_HEAD)
        len = size - RECORD_HEAD;
    *frame = (struct frame){.body = data + RECORD_HEAD, .len = len, .operation = data[0]};
    return RECORD_HEAD + len;
}

static size_t write_record(const struct frame *frame, uint8_t *out, size_t size)
{
    if (size < RECORD_HEAD + frame->len || frame->len > UINT16_MAX)
        return 0;
    out[0] = frame->operation;
    out[1] = (uint8_t)(frame->len >> 8);
    out[2] = (uint8_t)frame->len;
    memcpy(out + RECORD_HEAD, frame->body, frame->len);
    return RECORD_HEAD + frame->len;
}

static const struct format packets = {read_packet, write_packet};
static const struct format records = {read_record, write_record};

/* ---- well-formed messages ---- */

static void about_channel(struct alk_writer *w, uint8_t type, uint32_t id)
{
    alk_put_u8(w, type);
    alk_put_u32(w, id);
}

static void put_open(struct alk_writer *w, const char *kind, bool tcp)
{
    alk_put_u8(w, SSH_MSG_CHANNEL_OPEN);
    alk_put_text(w, kind);
    alk_put_u32(w, 0);
    alk_put_u32(w, 1 << 20);
    alk_put_u32(w, 32768);
    alk_put_text(w, "host");
    if (tcp)
        alk_put_u32(w, 80);
    alk_put_text(w, "");
    alk_put_u32(w, 0);
}

static void put_global(struct alk_writer *w, const char *name, bool tcp, bool path)
{
    alk_put_u8(w, SSH_MSG_GLOBAL_REQUEST);
    alk_put_text(w, name);
    alk_put_u8(w, 1);
    if (tcp || path)
        alk_put_text(w, tcp ? "127.0.0.1" : "/tmp/s");
    if (tcp)
        alk_put_u32(w, 0);
}

static void put_login(struct alk_writer *w, const char *method)
{
    static const uint8_t bytes[64];
    uint8_t key[4 + 11 + 4 + 32], signature[4 + 11 + 4 + 64];
    struct alk_writer k = alk_writer(key, sizeof(key));
    struct alk_writer s = alk_writer(signature, sizeof(signature));

    alk_put_text(&k, "ssh-ed25519");
    alk_put_string(&k, bytes, 32);
    alk_put_text(&s, "ssh-ed25519");
    alk_put_string(&s, bytes, 64);
    alk_put_u8(w, SSH_MSG_USERAUTH_REQUEST);
    alk_put_text(w, "u");
    alk_put_text(w, "ssh-connection");
    alk_put_text(w, method);
    if (strcmp(method, "publickey") != 0)
        return;
    alk_put_u8(w, 1);
    alk_put_text(w, "ssh-ed25519");
    alk_put_string(w, key, sizeof(key));
    alk_put_string(w, signature, sizeof(signature));
}

static void put_ecdh(struct alk_writer *w)
{
    uint8_t point[32] = {9};

    alk_put_u8(w, SSH_MSG_KEX_ECDH_INIT);
    alk_put_string(w, point, sizeof(point));
}

static void put_kexinit(struct alk_writer *w)
{
    static const uint8_t cookie[16];
    static const char *const lists[] = {
        "curve25519-sha256", "ssh-ed25519", "none", "none", "", "", "none", "none", "", ""};

    alk_put_u8(w, SSH_MSG_KEXINIT);
    alk_put_bytes(w, cookie, sizeof(cookie));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        alk_put_text(w, lists[i]);
    alk_put_u8(w, 0);
    alk_put_u32(w, 0);
}

size_t message_template(unsigned which, uint8_t out[TEMPLATE_MAX])
{
    static const uint8_t alone[] = {
        SSH_MSG_NEWKEYS,
        SSH_MSG_REQUEST_SUCCESS,
        SSH_MSG_REQUEST_FAILURE,
        SSH_MSG_USERAUTH_SUCCESS,
        SSH_MSG_DISCONNECT,
        SSH_MSG_IGNORE,
        SSH_MSG_DEBUG,
        SSH_MSG_USERAUTH_FAILURE,
        200,
    };
    struct alk_writer w = alk_writer(out, TEMPLATE_MAX);
    uint32_t id = which / 25 % 4;

    switch (which % 25) {
    case 0:
        put_open(&w, "direct-tcpip", true);
        break;
    case 1:
        put_open(&w, "forwarded-tcpip", true);
        break;
    case 2:
        put_open(&w, "direct-streamlocal@openssh.com", false);
        break;
    case 3:
        put_open(&w, "forwarded-streamlocal@openssh.com", false);
        break;
    case 4:
        put_global(&w, "tcpip-forward", true, false);
        break;
    case 5:
        put_global(&w, "cancel-tcpip-forward", true, false);
        break;
    case 6:
        put_global(&w, "streamlocal-forward@openssh.com", false, true);
        break;
    case 7:
        put_global(&w, "keepalive@openssh.com", false, false);
        break;
    case 8:
        about_channel(&w, SSH_MSG_CHANNEL_EOF, id);
        break;
    case 9:
        about_channel(&w, SSH_MSG_CHANNEL_CLOSE, id);
        break;
    case 10:
        about_channel(&w, SSH_MSG_CHANNEL_WINDOW_ADJUST, id);
        alk_put_u32(&w, 65536);
        break;
    case 11:
        about_channel(&w, SSH_MSG_CHANNEL_DATA, id);
        alk_put_text(&w, "some data");
        break;
    case 12:
        about_channel(&w, SSH_MSG_CHANNEL_EXTENDED_DATA, id);
        alk_put_u32(&w, 1);
        alk_put_text(&w, "error");
        break;
    case 13:
        about_channel(&w, SSH_MSG_CHANNEL_OPEN_CONFIRMATION, id);
        alk_put_u32(&w, id);
        alk_put_u32(&w, 100000);
        alk_put_u32(&w, 32768);
        break;
    case 14:
        about_channel(&w, SSH_MSG_CHANNEL_OPEN_FAILURE, id);
        alk_put_u32(&w, 2);
        alk_put_text(&w, "no");
        alk_put_text(&w, "");
        break;
    case 15:
        about_channel(&w, SSH_MSG_CHANNEL_REQUEST, id);
        alk_put_text(&w, "shell");
        alk_put_u8(&w, 1);
        break;
    case 16:
        alk_put_u8(&w, SSH_MSG_PING);
        alk_put_text(&w, "ping");
        break;
    case 17:
        put_kexinit(&w);
        break;
    case 18:
        put_ecdh(&w);
        break;
    case 19:
        put_login(&w, "publickey");
        break;
    case 20:
        put_login(&w, "none");
        break;
    case 21:
        alk_put_u8(&w, SSH_MSG_SERVICE_REQUEST);
        alk_put_text(&w, "ssh-userauth");
        break;
    case 22:
        alk_put_u8(&w, SSH_MSG_SERVICE_ACCEPT);
        alk_put_text(&w, "ssh-userauth");
        break;
    case 23:
        put_open(&w, "session", false);
        break;
    default:
        alk_put_u8(&w, alone[which / 25 % sizeof(alone)]);
        alk_put_u32(&w, 0);
        break;
    }
    return alk_writer_len(&w);
}

/* ---- mutations ---- */

static struct frame frames[FRAMES_MAX + 1];
static size_t frame_count;
static uint8_t scratch[BODY_MAX];

static void insert(size_t at, struct frame frame)
{
    if (frame_count == FRAMES_MAX)
        return;
    memmove(&frames[at + 1], &frames[at], (frame_count - at) * sizeof(frame));
    frames[at] = frame;
    frame_count++;
}

static void change_body(struct frame *frame)
{
    size_t len = frame->len < sizeof(scratch) ? frame->len : sizeof(scratch);

    memcpy(scratch, frame->body, len);
    frame->len = LLVMFuzzerMutate(scratch, len, len + 64 < sizeof(scratch) ? len + 64 : len);
    frame->body = scratch;
}

static void change_frames(void)
{
    size_t one = (size_t)rand() % (frame_count + 1), other = (size_t)rand() % (frame_count + 1);
    struct frame fresh = {.body = scratch, .operation = 0};

    if (frame_count == 0 || rand() % 4 == 0) {
        fresh.len = message_template((unsigned)rand(), scratch);
        insert(one, fresh);
        return;
    }
    one %= frame_count;
    switch (rand() % 6) {
    case 0:
        insert(other, frames[one]);
        break;
    case 1:
        memmove(&frames[one], &frames[one + 1], (frame_count - one - 1) * sizeof(frames[0]));
        frame_count--;
        break;
    case 2:
        other %= frame_count;
        fresh = frames[one];
        frames[one] = frames[other];
        frames[other] = fresh;
        break;
    case 3:
        frames[one].operation = (uint8_t)rand();
        break;
    default:
        change_body(&frames[one]);
        break;
    }
}

static size_t mutate(const struct format *format, uint8_t *data, size_t size, size_t max,
                     size_t head)
{
    size_t at = head, n;
    uint8_t *out = malloc(max);

    if (out == NULL || head > max) {
        free(out);
        return size;
    }
    frame_count = 0;
    while (frame_count < FRAMES_MAX &&
           (n = format->read(data + at, size - at, &frames[frame_count])) > 0) {
        frame_count++;
        at += n;
    }
    change_frames();
    memcpy(out, data, head);
    size_t len = head;
    for (size_t i = 0; i < frame_count; i++)
        len += format->write(&frames[i], out + len, max - len);
    if (size - at <= max - len) { /* what is no frame stays at the end */
        memcpy(out + len, data + at, size - at);
        len += size - at;
    }
    memcpy(data, out, len);
    free(out);
    return len;
}

size_t mutate_records(uint8_t *data, size_t size, size_t max, unsigned seed, size_t head)
{
    srand(seed);
    if (size < head || rand() % 2 == 0)
        return LLVMFuzzerMutate(data, size, max);
    return mutate(&records, data, size, max, head);
}

size_t mutate_stream(uint8_t *data, size_t size, size_t max, unsigned seed, size_t head)
{
    srand(seed);
    const uint8_t *end = size < head ? NULL : memchr(data + head, '\n', size - head);
    if (end == NULL || rand() % 3 == 0)
        return LLVMFuzzerMutate(data, size, max);
    return mutate(&packets, data, size, max, (size_t)(end + 1 - data));
}
