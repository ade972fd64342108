/* EncryptedData records: vectors, and that nothing but the whole record opens. */
#include "support/test.h"

#include "record.h"

#include <alk/secret_service.h>

#include <sodium.h>

static const uint8_t key[32] = {1, 2, 3};

static void vectors(void **state)
{
    FILE *file = vectors_open("record.txt");
    struct vector v = {0};
    unsigned n = 0;

    (void)state;
    for (; vectors_next(file, &v); n++) {
        uint8_t own[32], salt[ALK_RECORD_SALT], iv[ALK_GCM_IV_SIZE], text[512], out[512];
        uint32_t version = (uint32_t)strtoul(v.field[1], NULL, 10);
        struct alk_record record;
        size_t len;
        char *json;
        from_hex(v.field[0], own, sizeof own);
        from_hex(v.field[2], salt, sizeof salt);
        from_hex(v.field[3], iv, sizeof iv);
        len = from_hex(v.field[4], text, sizeof text);
        expect_code("seal", alk_secret_record_seal(own, version, salt, iv, text, len, &json), 0);
        expect_text(&v, "record", json, v.field[5]);
        expect_code("parse", alk_secret_record_parse(v.field[5], strlen(v.field[5]), &record), 0);
        expect_code("open", alk_secret_record_open(own, &record, out), 0);
        expect_hex(&v, "text", out, record.len - ALK_GCM_TAG_SIZE, v.field[4]);
        alk_secret_record_clear(&record);
        free(json);
    }
    fclose(file);
    assert_int_equal(n, 4);
}

/* Parses and opens; the text must be `text` or nothing of it. */
static int open_json(const char *json, size_t len, const char *text)
{
    struct alk_record record;
    uint8_t out[256];
    int r = alk_secret_record_parse(json, len, &record);

    if (r != 0)
        return r;
    memset(out, 0xaa, sizeof out);
    assert_true(record.len <= sizeof out);
    r = alk_secret_record_open(key, &record, out);
    if (r == 0) {
        assert_int_equal(record.len - ALK_GCM_TAG_SIZE, strlen(text));
        assert_memory_equal(out, text, strlen(text));
    } else {
        assert_true(sodium_is_zero(out, record.len - ALK_GCM_TAG_SIZE));
    }
    alk_secret_record_clear(&record);
    return r;
}

static char *sealed(const char *text)
{
    uint8_t salt[ALK_RECORD_SALT] = {4}, iv[ALK_GCM_IV_SIZE] = {5};
    char *json = NULL;

    expect_code("seal", alk_secret_record_seal(key, 1, salt, iv, text, strlen(text), &json), 0);
    return json;
}

/* Every bit of the whole JSON text, so of every field and of the frame around them. */
static void a_flipped_bit_refuses(void **state)
{
    static const char text[] = "the quick brown fox jumps";
    char *json = sealed(text);
    size_t len = strlen(json);

    (void)state;
    expect_code("whole", open_json(json, len, text), 0);
    for (size_t bit = 0; bit < len * 8; bit++) {
        int r;
        json[bit / 8] ^= (char)(1U << bit % 8);
        r = open_json(json, len, text);
        if (r != ALK_SECRET_E_RECORD)
            fail_msg("bit %zu flipped in %s: expected E_RECORD, got %d", bit, json, r);
        json[bit / 8] ^= (char)(1U << bit % 8);
    }
    free(json);
}

static void a_truncated_one_refuses(void **state)
{
    static const char text[] = "short";
    char *json = sealed(text);

    (void)state;
    for (size_t len = 0; len < strlen(json); len++)
        expect_code("truncated", open_json(json, len, text), ALK_SECRET_E_RECORD);
    free(json);
}

/* Versions that no key has, though the record is sealed with them. */
static void impossible_versions_refuse(void **state)
{
    static const uint32_t versions[] = {0, 0x80000001U, UINT32_MAX};
    uint8_t salt[ALK_RECORD_SALT] = {4}, iv[ALK_GCM_IV_SIZE] = {5};

    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        char *json;
        expect_code("seal", alk_secret_record_seal(key, versions[i], salt, iv, "x", 1, &json), 0);
        expect_code(json, open_json(json, strlen(json), "x"), ALK_SECRET_E_RECORD);
        free(json);
    }
}

#define SALT "AAAAAAAAAAAAAAAAAAAAAA=="
#define IV   "AAAAAAAAAAAAAAAA"
#define DATA "AAAAAAAAAAAAAAAAAAAAAA=="

static void other_shapes_refuse(void **state)
{
    static const char *const bad[] = {
        "null",
        "[]",
        "{}",
        "1",
        "\"record\"",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\"}",
        "{\"key_version\":0,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":-1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1.0,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":\"1\",\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":2147483649,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA
        "\"}",
        "{\"key_version\":4294967297,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA
        "\"}",
        "{\"key_version\":1,\"salt\":null,\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"AAAA\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" SALT "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":[],\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":{}}",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"AAAA\"}",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA
        "\",\"more\":1}",
        "{\"key_version\":1,\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV
        "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"} x",
        /* URL-safe, unpadded, and stray bits: not the standard base64 of these bytes */
        "{\"key_version\":1,\"salt\":\"AAAAAAAAAAAAAAAAAAAA-_==\",\"iv\":\"" IV
        "\",\"data\":\"" DATA "\"}",
        "{\"key_version\":1,\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"iv\":\"" IV "\",\"data\":\"" DATA
        "\"}",
        "{\"key_version\":1,\"salt\":\"AAAAAAAAAAAAAAAAAAAAAB==\",\"iv\":\"" IV
        "\",\"data\":\"" DATA "\"}",
        /* the right shape, but nothing that this key has sealed */
        "{\"key_version\":1,\"salt\":\"" SALT "\",\"iv\":\"" IV "\",\"data\":\"" DATA "\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_code(bad[i], open_json(bad[i], strlen(bad[i]), ""), ALK_SECRET_E_RECORD);
}

/* A record that would open, but for what is added to its object. */
static void additions_refuse(void **state)
{
    static const char *const added[] = {
        ",\"more\":1}", ",\"key_version\":1}", ",\"data\":\"\"}", "}}", "} {}",
    };
    char *json = sealed("whole");

    (void)state;
    expect_code("whole", open_json(json, strlen(json), "whole"), 0);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        char more[512];
        int n = snprintf(more, sizeof more, "%.*s%s", (int)strlen(json) - 1, json, added[i]);
        expect_code(more, open_json(more, (size_t)n, "whole"), ALK_SECRET_E_RECORD);
    }
    free(json);
}

static void sizes_are_bounded(void **state)
{
    uint8_t salt[ALK_RECORD_SALT] = {0}, iv[ALK_GCM_IV_SIZE] = {0};
    size_t len = ALK_SECRET_TEXT_MAX;
    char *text = calloc(1, len + 1), *json = NULL, *big;
    struct alk_record record;

    (void)state;
    assert_non_null(text);
    expect_code("a byte too many", alk_secret_record_seal(key, 1, salt, iv, text, len + 1, &json),
                ALK_SECRET_E_TOO_LONG);
    expect_code("the largest", alk_secret_record_seal(key, 1, salt, iv, text, len, &json), 0);
    assert_true(strlen(json) <= ALK_SECRET_RECORD_MAX);
    expect_code("read", alk_secret_record_parse(json, strlen(json), &record), 0);
    expect_code("open", alk_secret_record_open(key, &record, (uint8_t *)text), 0);
    alk_secret_record_clear(&record);
    /* the same with four characters of base64 more, and with blanks up to over the bound */
    big = malloc(ALK_SECRET_RECORD_MAX + 2);
    assert_non_null(big);
    memset(big, ' ', ALK_SECRET_RECORD_MAX + 1);
    memcpy(big, json, strlen(json));
    expect_code("padded", alk_secret_record_parse(big, ALK_SECRET_RECORD_MAX + 1, &record),
                ALK_SECRET_E_RECORD);
    big[strlen(json) - 2 - 2] = 'A'; /* the padding "==" or "=" goes */
    big[strlen(json) - 2 - 1] = 'A';
    memcpy(big + strlen(json) - 2, "AAAA\"}", 6);
    expect_code("longer data", alk_secret_record_parse(big, strlen(json) + 4, &record),
                ALK_SECRET_E_RECORD);
    free(big);
    free(json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(a_flipped_bit_refuses),
        cmocka_unit_test(a_truncated_one_refuses),
        cmocka_unit_test(other_shapes_refuse),
        cmocka_unit_test(impossible_versions_refuse),
        cmocka_unit_test(additions_refuse),
        cmocka_unit_test(sizes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
