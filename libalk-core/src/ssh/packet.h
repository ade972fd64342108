/*
 * The binary packet protocol (RFC 4253 section 6): payloads in and out of sealed
 * packets, with sequence numbers and the counts that decide when new keys are due.
 */
#ifndef ALK_SSH_PACKET_H
#define ALK_SSH_PACKET_H

#include "base/buffer.h"
#include "ssh/cipher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALK_PACKET_MAX_BEFORE_AUTH = 35000,
    ALK_PACKET_MAX = 256 * 1024,
    ALK_PACKET_PADDING_MAX = 4 + 16,
    ALK_PACKET_PAYLOAD_AT = 5, /* length, padding length, then the payload */
    /* everything around a payload: header, longest padding, longest tag */
    ALK_PACKET_OVERHEAD = ALK_PACKET_PAYLOAD_AT + ALK_PACKET_PADDING_MAX + ALK_CIPHER_TAG_MAX,
};

/* Packets under one key: with one more, a number would be used twice, and the number is
 * chacha20's nonce. New keys are due long before (options.rekey_packets). */
#define ALK_PACKET_COUNT_MAX ((uint64_t)UINT32_MAX)

/* One direction. */
struct alk_packets {
    struct alk_cipher cipher;
    uint32_t sequence;
    uint64_t bytes, packets; /* under the present keys */
    /* Outbound: what padding is made of. Drawn anew with the keys, not for each packet: every
     * cipher here hides it, and a random number per packet costs a system call. */
    uint8_t padding[ALK_PACKET_PADDING_MAX];
    uint32_t length; /* inbound: of the packet that is still coming */
    bool length_known;
};

/* Takes the next whole packet from the buffer and opens it in place. Returns 1 with the
 * payload, 0 when more bytes are needed, ALK_E_PROTO, ALK_E_CRYPTO, or ALK_E_LIMIT when the
 * keys are used up. The payload is valid until the buffer is moved. */
int alk_packet_open(struct alk_packets *p, struct alk_buffer *in, size_t max, uint8_t **payload,
                    size_t *len);

/* Room for a payload of len bytes at the tail of out; NULL when out is full. */
uint8_t *alk_packet_reserve(struct alk_buffer *out, size_t len);

/* How long the whole packet with a payload of len bytes will be. */
size_t alk_packet_size(const struct alk_packets *p, size_t len);

/* Seals the payload of len bytes that stands in the reserved room. ALK_E_CRYPTO, or
 * ALK_E_LIMIT when the keys are used up. */
int alk_packet_seal(struct alk_packets *p, struct alk_buffer *out, size_t len);

#endif
