/*
 * Mutations that know how an SSH fuzz input is cut: whole messages are copied, dropped,
 * exchanged, inserted and changed, and their lengths are put right again. Half of the time
 * libFuzzer's own mutations have the whole input, so that broken framing is tried too.
 */
#ifndef FUZZ_SSH_MUTATOR_H
#define FUZZ_SSH_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* `head` bytes of control, then an identification line, then packets without encryption. */
size_t mutate_stream(uint8_t *data, size_t size, size_t max, unsigned seed, size_t head);

/* `head` bytes of control, then records: operation, length (16 bits), that many bytes. */
size_t mutate_records(uint8_t *data, size_t size, size_t max, unsigned seed, size_t head);

/* Writes a well-formed message, one of several kinds; returns its length. */
enum { TEMPLATE_MAX = 256 };
size_t message_template(unsigned which, uint8_t out[TEMPLATE_MAX]);

/* Frames a payload as a packet without encryption; returns its length, 0 = no room. */
size_t frame_packet(const uint8_t *payload, size_t len, uint8_t *out, size_t size);

#endif
