#include <alk/user_key.h>

#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <string.h>

#define SK_TYPE "sk-ssh-ed25519@openssh.com"

static const struct type {
    const char *name;
    bool security_key, certified;
} types[] = {
    {ALK_KEY_TYPE, false, false},
    {SK_TYPE, true, false},
    {"ssh-ed25519-cert-v01@openssh.com", false, true},
    {"sk-ssh-ed25519-cert-v01@openssh.com", true, true},
};

static const struct type *find_type(struct alk_bytes name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (alk_bytes_equal(name, types[i].name))
            return &types[i];
    }
    return NULL;
}

bool alk_user_key_parse(const uint8_t *blob, size_t len, struct alk_user_key *key)
{
    struct alk_reader r = alk_reader(blob, len);
    const struct type *type = find_type(alk_get_string(&r));
    struct alk_bytes application = {0}, raw;

    if (type == NULL || len > ALK_USER_KEY_MAX)
        return false;
    if (type->certified)
        alk_get_string(&r); /* the nonce */
    raw = alk_get_string(&r);
    if (type->security_key)
        application = alk_get_string(&r);
    if (raw.len != crypto_sign_PUBLICKEYBYTES || application.len > ALK_APPLICATION_MAX ||
        !(type->certified ? alk_reader_ok(&r) : alk_reader_done(&r)))
        return false;
    *key = (struct alk_user_key){
        .algorithm = type->name,
        .certified = type->certified,
        .raw = raw.data,
        .application = type->security_key ? application.data : NULL,
        .application_len = application.len,
    };
    return true;
}

size_t alk_user_key_plain(const struct alk_user_key *key, uint8_t out[ALK_PLAIN_KEY_MAX])
{
    struct alk_writer w = alk_writer(out, ALK_PLAIN_KEY_MAX);

    alk_put_text(&w, key->application != NULL ? SK_TYPE : ALK_KEY_TYPE);
    alk_put_string(&w, key->raw, crypto_sign_PUBLICKEYBYTES);
    if (key->application != NULL)
        alk_put_string(&w, key->application, key->application_len);
    return alk_writer_len(&w);
}

void alk_user_key_fingerprint(const uint8_t *blob, size_t len, char out[ALK_FINGERPRINT_SIZE])
{
    uint8_t plain[ALK_PLAIN_KEY_MAX];
    struct alk_user_key key;

    if (alk_user_key_parse(blob, len, &key)) {
        len = alk_user_key_plain(&key, plain);
        blob = plain;
    }
    alk_key_fingerprint(blob, len, out);
}

/* A security key signs a digest of its application, what it saw, its counter, and a digest of
 * the message (PROTOCOL.u2f, SSH U2F Signatures). */
static int verify_security_key(const struct alk_user_key *key, const void *data, size_t len,
                               const uint8_t *signature, size_t signature_len,
                               struct alk_presence *presence)
{
    enum { TOUCHED = 0x01, VERIFIED = 0x04 };
    uint8_t text[2 * crypto_hash_sha256_BYTES + 5];
    struct alk_reader r = alk_reader(signature, signature_len);
    struct alk_bytes type = alk_get_string(&r);
    struct alk_bytes raw = alk_get_string(&r);
    struct alk_bytes seen = alk_get_bytes(&r, 5); /* flags and counter */

    if (!alk_reader_done(&r) || !alk_bytes_equal(type, SK_TYPE) || raw.len != crypto_sign_BYTES)
        return ALK_E_CRYPTO;
    crypto_hash_sha256(text, key->application, key->application_len);
    memcpy(text + crypto_hash_sha256_BYTES, seen.data, 5);
    crypto_hash_sha256(text + crypto_hash_sha256_BYTES + 5, data, len);
    presence->touched = (seen.data[0] & TOUCHED) != 0;
    presence->verified = (seen.data[0] & VERIFIED) != 0;
    return alk_key_raw_verify(key->raw, text, sizeof(text), raw.data) ? ALK_OK : ALK_E_CRYPTO;
}

int alk_user_key_verify(const uint8_t *blob, size_t blob_len, const void *data, size_t len,
                        const uint8_t *signature, size_t signature_len,
                        struct alk_presence *presence)
{
    uint8_t plain[ALK_PLAIN_KEY_MAX];
    struct alk_presence seen = {0};
    struct alk_user_key key;
    int status;

    if (!alk_user_key_parse(blob, blob_len, &key))
        return ALK_E_CRYPTO;
    if (key.application != NULL)
        status = verify_security_key(&key, data, len, signature, signature_len, &seen);
    else
        status = alk_key_verify(plain, alk_user_key_plain(&key, plain), data, len, signature,
                                signature_len);
    if (presence != NULL)
        *presence = status == ALK_OK ? seen : (struct alk_presence){0};
    return status;
}
