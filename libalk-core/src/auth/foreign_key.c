/* Keys for libssh2, which reads the file again itself: libssh only says what it holds, and whether
 * the passphrase is right. (Its way of writing an RSA key without one fails on Debian 12.) */
#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <alk/foreign_key.h>

#include <libssh/libssh.h>
#include <stdlib.h>
#include <string.h>

enum { BLOB_MAX = 4096 }; /* an RSA key of 16384 bits has half of that */

struct alk_foreign_key {
    char *text;       /* both from sodium_malloc */
    char *passphrase; /* NULL: none */
    uint8_t blob[BLOB_MAX];
    size_t blob_len;
};

void alk_foreign_key_free(struct alk_foreign_key *key)
{
    if (key == NULL)
        return;
    sodium_free(key->text);
    sodium_free(key->passphrase);
    free(key);
}

const uint8_t *alk_foreign_key_blob(const struct alk_foreign_key *key, size_t *len)
{
    *len = key->blob_len;
    return key->blob;
}

const char *alk_foreign_key_text(const struct alk_foreign_key *key)
{
    return key->text;
}

const char *alk_foreign_key_passphrase(const struct alk_foreign_key *key)
{
    return key->passphrase;
}

/* Called by libssh for a file that is encrypted. */
static int note_encrypted(const char *prompt, char *buffer, size_t size, int echo, int verify,
                          void *user)
{
    bool *encrypted = user;

    (void)prompt;
    (void)buffer;
    (void)size;
    (void)echo;
    (void)verify;
    *encrypted = true;
    return -1;
}

static int open_text(ssh_key *out, const char *path, const char *text, const char *passphrase,
                     struct alk_error *error)
{
    bool encrypted = false;

    if (ssh_pki_import_privkey_base64(text, passphrase, passphrase == NULL ? note_encrypted : NULL,
                                      &encrypted, out) == SSH_OK)
        return ALK_OK;
    if (encrypted)
        return alk_error_set(error, ALK_E_AUTH, "%s is encrypted and needs its passphrase", path);
    if (passphrase != NULL)
        return alk_error_set(error, ALK_E_AUTH, "wrong passphrase for %s", path);
    return alk_error_set(error, ALK_E_PARSE, "%s cannot be read as a private key", path);
}

static bool take_blob(struct alk_foreign_key *key, ssh_key opened)
{
    ssh_key public = NULL;
    char *base64 = NULL;
    bool ok = ssh_pki_export_privkey_to_pubkey(opened, &public) == SSH_OK &&
              ssh_pki_export_pubkey_base64(public, &base64) == SSH_OK &&
              sodium_base642bin(key->blob, sizeof(key->blob), base64, strlen(base64), NULL,
                                &key->blob_len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0;

    ssh_string_free_char(base64);
    ssh_key_free(public);
    return ok;
}

static bool is_type_signed_with(const struct alk_foreign_key *key)
{
    static const char *const types[] = {"ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                        "ecdsa-sha2-nistp521", ALK_KEY_TYPE};
    struct alk_reader r = alk_reader(key->blob, key->blob_len);
    struct alk_bytes type = alk_get_string(&r);

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (alk_bytes_equal(type, types[i]))
            return true;
    }
    return false;
}

/* NUL-terminated, in guarded memory. */
static char *guarded(const char *text, size_t len)
{
    char *copy = sodium_malloc(len + 1);

    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

static int judge(struct alk_foreign_key *key, const char *path, struct alk_error *error)
{
    ssh_key opened = NULL;
    int status = open_text(&opened, path, key->text, key->passphrase, error);

    if (status == ALK_OK && (!take_blob(key, opened) || !is_type_signed_with(key)))
        status = alk_error_set(error, ALK_E_UNSUPPORTED,
                               "%s holds a key of a type that libssh2 does not sign with", path);
    ssh_key_free(opened);
    return status;
}

static int decode(void *out, const char *path, const char *text, size_t len, const char *passphrase,
                  struct alk_error *error)
{
    struct alk_foreign_key *key = calloc(1, sizeof(*key));

    if (key == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", path);
    key->text = guarded(text, len);
    if (passphrase != NULL)
        key->passphrase = guarded(passphrase, strlen(passphrase));
    int status = ALK_E_NOMEM;
    if (key->text == NULL || (passphrase != NULL && key->passphrase == NULL))
        alk_error_set(error, status, "out of memory for %s", path);
    else
        status = judge(key, path, error);
    if (status == ALK_OK)
        *(struct alk_foreign_key **)out = key;
    else
        alk_foreign_key_free(key);
    return status;
}

int alk_foreign_key_load(struct alk_foreign_key **out, const char *path, alk_passphrase_fn ask,
                         void *user, struct alk_error *error)
{
    *out = NULL;
    return alk_key_read_file(decode, out, path, ask, user, error);
}
