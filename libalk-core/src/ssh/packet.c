#include "ssh/packet.h"

#include <alk/status.h>

#include <string.h>

enum { PADDING_MIN = 4 };

/* The first bytes of a packet tell its length; how many are needed for that. */
static size_t head_size(const struct alk_cipher_type *type)
{
    return type->length_apart ? 4 : type->block;
}

/* The smallest packet holds a one-byte payload; the whole is made of blocks. */
static bool length_legal(const struct alk_cipher_type *type, uint32_t length, size_t max)
{
    uint32_t padded = type->length_apart ? length : length + 4;

    return length <= max && length >= 1 + 1 + PADDING_MIN && padded >= type->block &&
           padded % type->block == 0;
}

int alk_packet_open(struct alk_packets *p, struct alk_buffer *in, size_t max, uint8_t **payload,
                    size_t *len)
{
    const struct alk_cipher_type *type = p->cipher.type;
    size_t have = alk_buffer_len(in);
    uint8_t *packet = alk_buffer_head(in);

    if (!p->length_known) {
        if (have < head_size(type))
            return 0;
        if (p->packets >= ALK_PACKET_COUNT_MAX)
            return ALK_E_LIMIT;
        p->length = type->length(&p->cipher, p->sequence, packet);
        if (!length_legal(type, p->length, max))
            return ALK_E_PROTO;
        p->length_known = true;
    }
    size_t whole = 4 + (size_t)p->length + type->tag;
    if (have < whole)
        return 0;
    p->length_known = false;
    if (type->open(&p->cipher, p->sequence, packet, p->length) != ALK_OK)
        return ALK_E_CRYPTO;
    uint8_t padding = packet[4];
    if (padding < PADDING_MIN || 1U + padding + 1U > p->length)
        return ALK_E_PROTO;
    *payload = packet + ALK_PACKET_PAYLOAD_AT;
    *len = p->length - 1 - padding;
    p->sequence++;
    p->packets++;
    p->bytes += whole;
    alk_buffer_consume(in, whole);
    return 1;
}

uint8_t *alk_packet_reserve(struct alk_buffer *out, size_t len)
{
    uint8_t *packet = alk_buffer_reserve(out, len + ALK_PACKET_OVERHEAD);
    return packet == NULL ? NULL : packet + ALK_PACKET_PAYLOAD_AT;
}

/* Padding makes the encrypted part whole blocks, at least four bytes of it. */
static uint8_t padding_for(const struct alk_cipher_type *type, size_t len)
{
    size_t part = (type->length_apart ? 0 : 4) + 1 + len;
    size_t padding = type->block - part % type->block;

    return (uint8_t)(padding < PADDING_MIN ? padding + type->block : padding);
}

size_t alk_packet_size(const struct alk_packets *p, size_t len)
{
    const struct alk_cipher_type *type = p->cipher.type;

    return 4 + 1 + len + padding_for(type, len) + type->tag;
}

int alk_packet_seal(struct alk_packets *p, struct alk_buffer *out, size_t len)
{
    const struct alk_cipher_type *type = p->cipher.type;
    uint8_t *packet = out->data + out->tail;
    uint8_t padding = padding_for(type, len);
    size_t length = 1 + len + padding;

    if (p->packets >= ALK_PACKET_COUNT_MAX)
        return ALK_E_LIMIT;
    packet[0] = (uint8_t)(length >> 24);
    packet[1] = (uint8_t)(length >> 16);
    packet[2] = (uint8_t)(length >> 8);
    packet[3] = (uint8_t)length;
    packet[4] = padding;
    memcpy(packet + ALK_PACKET_PAYLOAD_AT + len, p->padding, padding);
    if (type->seal(&p->cipher, p->sequence, packet, length) != ALK_OK)
        return ALK_E_CRYPTO;
    p->sequence++;
    p->packets++;
    p->bytes += 4 + length + type->tag;
    alk_buffer_commit(out, 4 + length + type->tag);
    return ALK_OK;
}
