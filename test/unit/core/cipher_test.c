/* The packet formats against other implementations of the same primitives. */
#include "ssh/packet.h"

#include <alk/key.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

static const struct {
    const char *cipher, *mac;
} suites[] = {
    {"aes256-gcm@openssh.com", NULL},
    {"chacha20-poly1305@openssh.com", NULL},
    {"aes256-ctr", "hmac-sha2-256-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-512-etm@openssh.com"},
    {"aes256-ctr", "hmac-sha2-256"},
};
enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

/* Keys that differ in every byte; fixed, so that a failure can be looked into. */
static uint8_t key[64], iv[16], mac_key[64];

static int fill_keys(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        key[i] = (uint8_t)(i * 7 + 1);
        mac_key[i] = (uint8_t)(i * 5 + 3);
        iv[i % 16] = (uint8_t)(i * 3 + 2);
    }
    return alk_crypto_init();
}

static void start(struct alk_cipher *c, int suite, bool seal)
{
    const struct alk_cipher_type *type = alk_cipher_find(suites[suite].cipher, suites[suite].mac);

    assert_non_null(type);
    assert_int_equal(alk_cipher_init(c, type, key, iv, mac_key, seal), 0);
}

/* A clear packet with a length field for len bytes behind it. */
static void make_packet(uint8_t *packet, size_t len)
{
    for (size_t i = 0; i < 4 + len; i++)
        packet[i] = (uint8_t)(i * 11);
    packet[0] = packet[1] = 0;
    packet[2] = (uint8_t)(len >> 8);
    packet[3] = (uint8_t)len;
}

static void number(uint8_t out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* ---- other implementations ---- */

static void gcm_by_libsodium(const uint8_t nonce[12], const uint8_t *packet, size_t len,
                             uint8_t *out)
{
    unsigned long long n;

    memcpy(out, packet, 4);
    assert_int_equal(
        crypto_aead_aes256gcm_encrypt(out + 4, &n, packet + 4, len, packet, 4, NULL, nonce, key),
        0);
    assert_int_equal(n, len + 16);
}

static void chacha_by_libcrypto(const uint8_t *k, uint32_t sequence, uint64_t block,
                                const uint8_t *in, size_t len, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t counter_nonce[16] = {0}; /* a counter of 64 bits, little-endian, then the nonce */
    int n;

    for (int i = 0; i < 8; i++)
        counter_nonce[i] = (uint8_t)(block >> (8 * i));
    number(counter_nonce + 12, sequence);
    assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_chacha20(), NULL, k, counter_nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, in, (int)len), 1);
    EVP_CIPHER_CTX_free(ctx);
}

static void poly1305_by_libcrypto(const uint8_t k[32], const uint8_t *data, size_t len,
                                  uint8_t tag[16])
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    size_t n;

    assert_int_equal(EVP_MAC_init(ctx, k, 32, NULL), 1);
    assert_int_equal(EVP_MAC_update(ctx, data, len), 1);
    assert_int_equal(EVP_MAC_final(ctx, tag, &n, 16), 1);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
}

/* PROTOCOL.chacha20poly1305, step by step. */
static void chacha_reference(uint32_t sequence, const uint8_t *packet, size_t len, uint8_t *out)
{
    static const uint8_t zeros[32];
    uint8_t mac[32];

    chacha_by_libcrypto(key + 32, sequence, 0, packet, 4, out);
    chacha_by_libcrypto(key, sequence, 0, zeros, 32, mac);
    chacha_by_libcrypto(key, sequence, 1, packet + 4, len, out + 4);
    poly1305_by_libcrypto(mac, out, 4 + len, out + 4 + len);
}

/* The key stream of AES-CTR from `offset` on, for a counter that began with iv. */
static void ctr_reference(size_t offset, const uint8_t *in, size_t len, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    static uint8_t skipped[100000];
    int n;

    assert_true(offset <= sizeof(skipped));
    assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, key, iv), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, skipped, &n, skipped, (int)offset), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, in, (int)len), 1);
    EVP_CIPHER_CTX_free(ctx);
}

static void hmac_reference(bool long_one, uint32_t sequence, const uint8_t *data, size_t len,
                           uint8_t *tag)
{
    uint8_t text[5000];
    unsigned n;

    number(text, sequence);
    memcpy(text + 4, data, len);
    assert_non_null(HMAC(long_one ? EVP_sha512() : EVP_sha256(), mac_key, long_one ? 64 : 32, text,
                         4 + len, tag, &n));
    assert_int_equal(n, long_one ? 64 : 32);
}

/* ---- tests ---- */

static void test_gcm_as_libsodium_does(void **state)
{
    uint8_t packet[2000], expected[2000], nonce[12];
    struct alk_cipher c;

    (void)state;
    if (!crypto_aead_aes256gcm_is_available())
        skip();              /* libsodium needs a CPU with AES */
    memset(iv + 4, 0xff, 8); /* the counter is about to start over; the fixed part stays */
    iv[11] = 0xfd;
    start(&c, 0, true);
    memcpy(nonce, iv, 12);
    for (uint32_t i = 0; i < 6; i++) {
        size_t len = 16 + 16 * (size_t)i * i;
        make_packet(packet, len);
        gcm_by_libsodium(nonce, packet, len, expected);
        assert_int_equal(c.type->seal(&c, i, packet, len), 0);
        assert_memory_equal(packet, expected, 4 + len + 16);
        for (int b = 11; b >= 4 && ++nonce[b] == 0; b--)
            ;
    }
    assert_int_equal(nonce[11], 3);
    assert_memory_equal(nonce, iv, 4);
    alk_cipher_clear(&c);
    fill_keys(NULL);
}

static void test_chacha_as_libcrypto_does(void **state)
{
    static const uint32_t sequences[] = {0, 1, 255, 256, 0x01020304, UINT32_MAX};
    uint8_t packet[2000], expected[2000];
    struct alk_cipher c;

    (void)state;
    start(&c, 1, true);
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        size_t len = 8 + 40 * i * i;
        make_packet(packet, len);
        chacha_reference(sequences[i], packet, len, expected);
        assert_int_equal(c.type->seal(&c, sequences[i], packet, len), 0);
        assert_memory_equal(packet, expected, 4 + len + 16);
        assert_int_equal(c.type->length(&c, sequences[i], packet), len);
    }
    alk_cipher_clear(&c);
}

static void test_ctr_then_mac_as_libcrypto_does(void **state)
{
    uint8_t packet[2000], expected[2000];
    struct alk_cipher c;

    (void)state;
    for (int suite = 2; suite <= 3; suite++) {
        size_t stream = 0, tag = suite == 2 ? 32 : 64;
        start(&c, suite, true);
        for (uint32_t i = 0; i < 6; i++) {
            size_t len = 16 + 16 * (size_t)i * i;
            make_packet(packet, len);
            memcpy(expected, packet, 4);
            ctr_reference(stream, packet + 4, len, expected + 4);
            hmac_reference(suite == 3, i, expected, 4 + len, expected + 4 + len);
            stream += len;
            assert_int_equal(c.type->seal(&c, i, packet, len), 0);
            assert_memory_equal(packet, expected, 4 + len + tag);
        }
        alk_cipher_clear(&c);
    }
}

static void test_ctr_and_mac_as_libcrypto_does(void **state)
{
    uint8_t packet[2000], expected[2000];
    struct alk_cipher c;
    size_t stream = 0;

    (void)state;
    start(&c, 4, true);
    for (uint32_t i = 0; i < 6; i++) {
        size_t len = 12 + 16 * (size_t)i * i;
        make_packet(packet, len);
        hmac_reference(false, UINT32_MAX - i, packet, 4 + len, expected + 4 + len);
        ctr_reference(stream, packet, 4 + len, expected);
        stream += 4 + len;
        assert_int_equal(c.type->seal(&c, UINT32_MAX - i, packet, len), 0);
        assert_memory_equal(packet, expected, 4 + len + 32);
    }
    alk_cipher_clear(&c);
}

/* One packet with `len` bytes of payload, sealed by the first and opened by the second. */
static void seal_one(struct alk_packets *p, struct alk_buffer *out, size_t len)
{
    uint8_t *payload = alk_packet_reserve(out, len);

    assert_non_null(payload);
    for (size_t i = 0; i < len; i++)
        payload[i] = (uint8_t)(i + len);
    assert_int_equal(alk_packet_seal(p, out, len), 0);
}

static void check_one(struct alk_packets *p, struct alk_buffer *in, size_t len)
{
    uint8_t *payload;
    size_t got;

    assert_int_equal(alk_packet_open(p, in, ALK_PACKET_MAX, &payload, &got), 1);
    assert_int_equal(got, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(payload[i], (uint8_t)(i + len));
}

static void test_payloads_of_every_length(void **state)
{
    (void)state;
    for (int suite = 0; suite < SUITES; suite++) {
        struct alk_packets tx = {.sequence = UINT32_MAX - 100}, rx = {.sequence = UINT32_MAX - 100};
        struct alk_buffer wire = alk_buffer(ALK_PACKET_MAX);

        start(&tx.cipher, suite, true);
        start(&rx.cipher, suite, false);
        for (size_t len = 1; len < 700; len++) { /* the number starts over on the way */
            const struct alk_cipher_type *type = tx.cipher.type;
            seal_one(&tx, &wire, len);
            size_t part = alk_buffer_len(&wire) - type->tag - (type->length_apart ? 4 : 0);
            assert_int_equal(part % type->block, 0);
            assert_in_range(alk_buffer_len(&wire), 4 + 1 + len + 4 + type->tag,
                            len + ALK_PACKET_OVERHEAD);
            check_one(&rx, &wire, len);
            assert_int_equal(alk_buffer_len(&wire), 0);
        }
        assert_int_equal(tx.sequence, 598);
        assert_int_equal(rx.sequence, 598);
        assert_int_equal(tx.bytes, rx.bytes);
        assert_int_equal(rx.packets, 699);
        alk_cipher_clear(&tx.cipher);
        alk_cipher_clear(&rx.cipher);
        alk_buffer_free(&wire);
    }
}

/* What a changed packet may do: fail, or wait for bytes that its length now promises. */
static void test_every_flipped_bit_is_noticed(void **state)
{
    enum { PAYLOAD = 37 };

    (void)state;
    for (int suite = 0; suite < SUITES; suite++) {
        size_t whole = SIZE_MAX;
        for (size_t bit = 0; bit < whole * 8; bit++) {
            struct alk_packets tx = {.sequence = 5}, rx = {.sequence = 5};
            struct alk_buffer wire = alk_buffer(ALK_PACKET_MAX);
            uint8_t *payload;
            size_t len;

            start(&tx.cipher, suite, true);
            start(&rx.cipher, suite, false);
            seal_one(&tx, &wire, PAYLOAD);
            whole = alk_buffer_len(&wire);
            alk_buffer_head(&wire)[bit / 8] ^= (uint8_t)(1 << bit % 8);
            int got = alk_packet_open(&rx, &wire, ALK_PACKET_MAX, &payload, &len);
            if (got > 0 || (got == 0 && bit >= 32))
                fail_msg("%s: bit %zu was changed, and open said %d", suites[suite].cipher, bit,
                         got);
            alk_cipher_clear(&tx.cipher);
            alk_cipher_clear(&rx.cipher);
            alk_buffer_free(&wire);
        }
    }
}

static void test_packets_out_of_order(void **state)
{
    (void)state;
    for (int suite = 0; suite < SUITES; suite++) {
        struct alk_packets tx = {0}, rx = {0};
        struct alk_buffer wire = alk_buffer(ALK_PACKET_MAX);
        uint8_t *payload;
        size_t len;

        start(&tx.cipher, suite, true);
        start(&rx.cipher, suite, false);
        seal_one(&tx, &wire, 20);
        alk_buffer_consume(&wire, alk_buffer_len(&wire)); /* lost */
        seal_one(&tx, &wire, 20);
        assert_true(alk_packet_open(&rx, &wire, ALK_PACKET_MAX, &payload, &len) < 1);
        alk_cipher_clear(&tx.cipher);
        alk_cipher_clear(&rx.cipher);
        alk_buffer_free(&wire);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_null(alk_cipher_find("aes256-ctr", NULL));
    assert_null(alk_cipher_find("aes256-ctr", "hmac-sha1"));
    assert_null(alk_cipher_find("aes128-ctr", "hmac-sha2-256"));
    assert_null(alk_cipher_find("", NULL));
    assert_non_null(alk_cipher_find("none", NULL));
    for (int i = 0; i < SUITES; i++) {
        const struct alk_cipher_type *type = alk_cipher_find(suites[i].cipher, suites[i].mac);
        assert_string_equal(type->name, suites[i].cipher);
        assert_true(type->mac == suites[i].mac || strcmp(type->mac, suites[i].mac) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gcm_as_libsodium_does),
        cmocka_unit_test(test_chacha_as_libcrypto_does),
        cmocka_unit_test(test_ctr_then_mac_as_libcrypto_does),
        cmocka_unit_test(test_ctr_and_mac_as_libcrypto_does),
        cmocka_unit_test(test_payloads_of_every_length),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_packets_out_of_order),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, fill_keys, NULL);
}
