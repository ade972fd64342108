/* Sealing, opening and reading EncryptedData records. */
#include "record.h"

#include <alk/secret_path.h>
#include <alk/secret_service.h>

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* The key of one record, and the associated data that binds its version. */
static int record_key(const uint8_t key[32], const uint8_t salt[ALK_RECORD_SALT], uint8_t out[32])
{
    static const char info[] = "alknet EncryptedData";
    return alk_secret_hkdf_sha256(key, 32, salt, ALK_RECORD_SALT, info, sizeof info - 1, out, 32);
}

static void associated(uint32_t version, uint8_t aad[4])
{
    for (int i = 0; i < 4; i++)
        aad[i] = (uint8_t)(version >> (24 - 8 * i));
}

/* Base64 needs no escaping in JSON, so the record is written as it stands. */
static int write_json(uint32_t version, const uint8_t *salt, const uint8_t *iv, const uint8_t *data,
                      size_t len, char **json)
{
    char salt64[sodium_base64_ENCODED_LEN(ALK_RECORD_SALT, BASE64)];
    char iv64[sodium_base64_ENCODED_LEN(ALK_GCM_IV_SIZE, BASE64)];
    size_t data64 = sodium_base64_encoded_len(len, BASE64);
    size_t size = data64 + 128;
    char *out = malloc(size);
    int head;

    if (out == NULL)
        return ALK_SECRET_E_MEMORY;
    sodium_bin2base64(salt64, sizeof salt64, salt, ALK_RECORD_SALT, BASE64);
    sodium_bin2base64(iv64, sizeof iv64, iv, ALK_GCM_IV_SIZE, BASE64);
    head = snprintf(out, size,
                    "{\"key_version\":%" PRIu32 ",\"salt\":\"%s\",\"iv\":\"%s\",\"data\":\"",
                    version, salt64, iv64);
    sodium_bin2base64(out + head, data64, data, len, BASE64);
    memcpy(out + (size_t)head + data64 - 1, "\"}", 3);
    *json = out;
    return 0;
}

int alk_secret_record_seal(const uint8_t key[32], uint32_t version,
                           const uint8_t salt[ALK_RECORD_SALT], const uint8_t iv[ALK_GCM_IV_SIZE],
                           const void *text, size_t len, char **json)
{
    uint8_t own[32], aad[4], *data;
    int r;

    if (len > ALK_SECRET_TEXT_MAX)
        return ALK_SECRET_E_TOO_LONG;
    if ((data = malloc(len + ALK_GCM_TAG_SIZE)) == NULL)
        return ALK_SECRET_E_MEMORY;
    associated(version, aad);
    r = record_key(key, salt, own);
    if (r == 0)
        r = alk_secret_gcm_seal(own, iv, aad, sizeof aad, text, len, data);
    if (r == 0)
        r = write_json(version, salt, iv, data, len + ALK_GCM_TAG_SIZE, json);
    sodium_memzero(own, sizeof own);
    free(data);
    return r;
}

int alk_secret_record_open(const uint8_t key[32], const struct alk_record *record, uint8_t *out)
{
    uint8_t own[32], aad[4];
    int r;

    associated(record->version, aad);
    r = record_key(key, record->salt, own);
    if (r == 0)
        r = alk_secret_gcm_open(own, record->iv, aad, sizeof aad, record->data, record->len, out);
    sodium_memzero(own, sizeof own);
    return r;
}

/* Base64 of exactly `size` bytes; libsodium refuses stray bits in the last character. */
static bool read_fixed(const json_t *value, uint8_t *out, size_t size)
{
    size_t len = 0;

    return json_is_string(value) &&
           sodium_base642bin(out, size, json_string_value(value), json_string_length(value), NULL,
                             &len, NULL, BASE64) == 0 &&
           len == size;
}

static int read_data(const json_t *value, struct alk_record *record)
{
    size_t size;

    if (!json_is_string(value))
        return ALK_SECRET_E_RECORD;
    size = json_string_length(value) / 4 * 3;
    if (size < ALK_GCM_TAG_SIZE || size > ALK_SECRET_TEXT_MAX + ALK_GCM_TAG_SIZE + 2)
        return ALK_SECRET_E_RECORD;
    if ((record->data = malloc(size)) == NULL)
        return ALK_SECRET_E_MEMORY;
    if (sodium_base642bin(record->data, size, json_string_value(value), json_string_length(value),
                          NULL, &record->len, NULL, BASE64) != 0 ||
        record->len < ALK_GCM_TAG_SIZE || record->len > ALK_SECRET_TEXT_MAX + ALK_GCM_TAG_SIZE)
        return ALK_SECRET_E_RECORD;
    return 0;
}

int alk_secret_record_parse(const char *json, size_t len, struct alk_record *record)
{
    struct alk_record parsed = {0};
    const json_t *version;
    json_error_t why = {0};
    json_t *root = NULL;
    int r = ALK_SECRET_E_RECORD;

    if (len > ALK_SECRET_RECORD_MAX)
        return r;
    root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL && why.text[0] == '\0')
        r = ALK_SECRET_E_MEMORY; /* no complaint about the text */
    if (!json_is_object(root) || json_object_size(root) != 4)
        goto out;
    version = json_object_get(root, "key_version");
    if (!json_is_integer(version) || json_integer_value(version) < 1 ||
        json_integer_value(version) > (json_int_t)ALK_SECRET_HARDENED)
        goto out;
    parsed.version = (uint32_t)json_integer_value(version);
    if (read_fixed(json_object_get(root, "salt"), parsed.salt, sizeof parsed.salt) &&
        read_fixed(json_object_get(root, "iv"), parsed.iv, sizeof parsed.iv))
        r = read_data(json_object_get(root, "data"), &parsed);
out:
    json_decref(root);
    if (r == 0)
        *record = parsed;
    else
        free(parsed.data);
    return r;
}

void alk_secret_record_clear(struct alk_record *record)
{
    free(record->data);
    record->data = NULL;
    record->len = 0;
}
