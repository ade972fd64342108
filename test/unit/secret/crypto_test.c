/* The wrappers around libcrypto against NIST's and RFC 5869's vectors, and libcrypto's PBKDF2. */
#include "support/test.h"

#include "crypto.h"

#include <openssl/evp.h>
#include <sodium.h>

static void hkdf_rfc5869(void **state)
{
    FILE *file = vectors_open("hkdf.txt");
    struct vector v = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        uint8_t key[128], salt[128], info[128], out[128];
        size_t key_len = from_hex(v.field[0], key, sizeof key);
        size_t salt_len = from_hex(v.field[1], salt, sizeof salt);
        size_t info_len = from_hex(v.field[2], info, sizeof info);
        size_t len = strlen(v.field[3]) / 2;
        expect_code("hkdf",
                    alk_secret_hkdf_sha256(key, key_len, salt, salt_len, info, info_len, out, len),
                    0);
        expect_hex(&v, "output", out, len, v.field[3]);
    }
    fclose(file);
    assert_int_equal(n, 3);
}

static void gcm_seal_vector(const struct vector *v, const uint8_t *key, const uint8_t *iv,
                            const uint8_t *aad, size_t aad_len)
{
    uint8_t text[128], out[128];
    char expected[512];
    size_t len = from_hex(v->field[3], text, sizeof text);

    expect_code("seal", alk_secret_gcm_seal(key, iv, aad, aad_len, text, len, out), 0);
    snprintf(expected, sizeof expected, "%s%s", v->field[4], v->field[5]);
    expect_hex(v, "ciphertext and tag", out, len + ALK_GCM_TAG_SIZE, expected);
}

static void gcm_nist(void **state)
{
    FILE *file = vectors_open("aes256gcm.txt");
    struct vector v = {0};
    unsigned opened = 0, refused = 0;

    (void)state;
    while (vectors_next(file, &v)) {
        uint8_t key[32], iv[12], aad[128], data[128], out[128];
        size_t aad_len, len;
        from_hex(v.field[0], key, sizeof key);
        from_hex(v.field[1], iv, sizeof iv);
        aad_len = from_hex(v.field[2], aad, sizeof aad);
        len = from_hex(v.field[4], data, sizeof data);
        from_hex(v.field[5], data + len, sizeof data - len);
        memset(out, 0xaa, sizeof out);
        if (strcmp(v.field[3], "FAIL") == 0) {
            static const uint8_t zero[128];
            expect_code("open of a forgery",
                        alk_secret_gcm_open(key, iv, aad, aad_len, data, len + 16, out),
                        ALK_SECRET_E_RECORD);
            assert_memory_equal(out, zero, len);
            refused++;
        } else {
            gcm_seal_vector(&v, key, iv, aad, aad_len);
            expect_code("open", alk_secret_gcm_open(key, iv, aad, aad_len, data, len + 16, out), 0);
            expect_hex(&v, "text", out, len, v.field[3]);
            opened++;
        }
    }
    fclose(file);
    assert_int_equal(opened, 559);
    assert_int_equal(refused, 191);
}

/* Passwords around the length of a block, where HMAC changes what it does with them. */
static void pbkdf2_is_that_of_libcrypto(void **state)
{
    static const unsigned rounds[] = {1, 2, 3, 2048};
    uint8_t bytes[300], salt[40], expected[64], out[64];

    (void)state;
    randombytes_buf(bytes, sizeof bytes);
    randombytes_buf(salt, sizeof salt);
    for (size_t i = 0; i < 4; i++) {
        for (size_t len = 1; len<sizeof bytes; len += rounds[i]> 3 ? 127 : 1) {
            size_t salt_len = len % sizeof salt;
            assert_int_equal(PKCS5_PBKDF2_HMAC((const char *)bytes, (int)len, salt, (int)salt_len,
                                               (int)rounds[i], EVP_sha512(), 64, expected),
                             1);
            expect_code(
                "pbkdf2",
                alk_secret_pbkdf2_sha512((const char *)bytes, len, salt, salt_len, rounds[i], out),
                0);
            assert_memory_equal(out, expected, 64);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hkdf_rfc5869),
        cmocka_unit_test(gcm_nist),
        cmocka_unit_test(pbkdf2_is_that_of_libcrypto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
