/*
 * The text of private key files in OpenSSH's own format (PROTOCOL.key).
 *
 *   armour( "openssh-key-v1" NUL
 *           string cipher, string kdf, string kdf options, uint32 keys = 1,
 *           string public blob, string private section )
 *   private section = uint32 check, uint32 check, string type, string public,
 *                     string seed || public, string comment, padding 1 2 3 ...
 *
 * Unencrypted files are read and written here. For the encrypted ones libssh has the
 * bcrypt KDF: it turns them into unencrypted ones and back. Whatever holds a secret
 * lies in sodium_malloc memory.
 */
#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <libssh/libssh.h>
#include <string.h>

static const char begin_mark[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char end_mark[] = "-----END OPENSSH PRIVATE KEY-----";
static const char magic[] = "openssh-key-v1"; /* with its NUL */

enum {
    LINE_WIDTH = 70, /* as ssh-keygen */
    BLOCK_SIZE = 8,  /* of the cipher "none" */
    /* ssh-keygen's default is 16 to 24; the cost is linear, some 10 ms each */
    KDF_ROUNDS_MAX = 4096,
    TEXT_MAX = 4096, /* of a file that we write */
};

/* The outer fields of a file; all borrowed from the decoded bytes. */
struct container {
    struct alk_bytes cipher, kdf, kdf_options, blob, section;
    bool trailing; /* bytes follow the section: an AEAD cipher's tag */
};

/* ---- what else a file may be -------------------------------------------------- */

struct foreign {
    const char *start;
    int code;
    const char *says; /* goes on the sentence that `what` begins */
};

static const char make_one[] = "alknet uses Ed25519 keys, made with: ssh-keygen -t ed25519";

static const struct foreign foreign_formats[] = {
    {"-----BEGIN RSA PRIVATE KEY", ALK_E_UNSUPPORTED, "holds an RSA key in PEM format"},
    {"-----BEGIN EC PRIVATE KEY", ALK_E_UNSUPPORTED, "holds an ECDSA key in PEM format"},
    {"-----BEGIN DSA PRIVATE KEY", ALK_E_UNSUPPORTED, "holds a DSA key in PEM format"},
    {"-----BEGIN PRIVATE KEY", ALK_E_UNSUPPORTED, "is in PKCS#8 (PEM) format"},
    {"-----BEGIN ENCRYPTED PRIVATE KEY", ALK_E_UNSUPPORTED, "is in encrypted PKCS#8 (PEM) format"},
    {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", ALK_E_UNSUPPORTED, "is in ssh.com's format"},
};

static const char *const public_marks[] = {
    "-----BEGIN PUBLIC KEY",
    "-----BEGIN RSA PUBLIC KEY",
    "---- BEGIN SSH2 PUBLIC KEY",
};

static bool starts_with(const char *text, size_t len, const char *start)
{
    return len >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

static bool is_public(const char *text, size_t len)
{
    size_t token = 0;

    for (size_t i = 0; i < sizeof(public_marks) / sizeof(public_marks[0]); i++) {
        if (starts_with(text, len, public_marks[i]))
            return true;
    }
    while (token < len && text[token] != ' ' && text[token] != '\t')
        token++;
    return alk_key_type_known(text, token);
}

/* Names the format of a file that does not begin with OpenSSH's mark. */
static int refuse_format(const char *what, const char *text, size_t len, struct alk_error *error)
{
    size_t blank = 0;

    while (blank < len && strchr(" \t\r\n", text[blank]) != NULL && text[blank] != '\0')
        blank++;
    if (blank == len)
        return alk_error_set(error, ALK_E_PARSE,
                             "%s is empty; make a key with: ssh-keygen -t ed25519", what);
    for (size_t i = 0; i < sizeof(foreign_formats) / sizeof(foreign_formats[0]); i++) {
        if (starts_with(text, len, foreign_formats[i].start))
            return alk_error_set(error, foreign_formats[i].code, "%s %s; %s", what,
                                 foreign_formats[i].says, make_one);
    }
    if (starts_with(text, len, "PuTTY-User-Key-File-"))
        return alk_error_set(
            error, ALK_E_UNSUPPORTED,
            "%s is in PuTTY's format; convert it with: puttygen OLD -O private-openssh-new -o NEW",
            what);
    if (is_public(text, len))
        return alk_error_set(error, ALK_E_PARSE,
                             "%s holds a public key; name the private key file, which has the same "
                             "name without .pub",
                             what);
    return alk_error_set(error, ALK_E_PARSE, "%s is not a private key file; it must begin with %s",
                         what, begin_mark);
}

/* ---- reading ------------------------------------------------------------------ */

/* Removes the armour. *out comes from sodium_malloc. */
static int decode_armour(const char *what, const char *text, size_t len, uint8_t **out,
                         size_t *out_len, struct alk_error *error)
{
    const char *body = text + strlen(begin_mark);
    const char *end = memmem(text, len, end_mark, strlen(end_mark));
    uint8_t *bytes;
    size_t size;

    if (end == NULL)
        return alk_error_set(error, ALK_E_PARSE, "%s is cut short: its END line is missing", what);
    /* a NUL would count among the characters to skip */
    if (end < body || memchr(body, '\0', (size_t)(end - body)) != NULL)
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: its lines are not base64", what);
    size = (size_t)(end - body) / 4 * 3 + 3;
    bytes = sodium_malloc(size);
    if (bytes == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", what);
    if (sodium_base642bin(bytes, size, body, (size_t)(end - body), " \t\r\n", out_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        sodium_free(bytes);
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: its lines are not base64", what);
    }
    *out = bytes;
    return ALK_OK;
}

/* The key type, for messages: SSH names are short; others are not worth printing. */
static int refuse_type(const char *what, struct alk_bytes type, struct alk_error *error)
{
    if (!alk_key_type_known((const char *)type.data, type.len))
        return alk_error_set(error, ALK_E_UNSUPPORTED, "%s holds a key of an unknown type; %s",
                             what, make_one);
    return alk_error_set(error, ALK_E_UNSUPPORTED, "%s holds an %.*s key; %s", what, (int)type.len,
                         (const char *)type.data, make_one);
}

static int read_container(const char *what, const uint8_t *bytes, size_t len, struct container *c,
                          struct alk_error *error)
{
    struct alk_reader r = alk_reader(bytes, len);
    struct alk_bytes mark = alk_get_bytes(&r, sizeof(magic));
    struct alk_reader blob;
    struct alk_bytes type;
    uint32_t keys;

    c->cipher = alk_get_string(&r);
    c->kdf = alk_get_string(&r);
    c->kdf_options = alk_get_string(&r);
    keys = alk_get_u32(&r);
    if (!alk_reader_ok(&r) || memcmp(mark.data, magic, sizeof(magic)) != 0)
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: no openssh-key-v1 header", what);
    if (keys != 1)
        return alk_error_set(error, ALK_E_UNSUPPORTED, "%s must hold exactly one key", what);
    c->blob = alk_get_string(&r);
    c->section = alk_get_string(&r);
    c->trailing = !alk_reader_done(&r);
    blob = alk_reader(c->blob.data, c->blob.len);
    type = alk_get_string(&blob);
    if (!alk_reader_ok(&r) || !alk_reader_ok(&blob))
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: it ends too early", what);
    if (!alk_bytes_equal(type, ALK_KEY_TYPE))
        return refuse_type(what, type, error);
    if (alk_key_blob_raw(c->blob.data, c->blob.len) == NULL)
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: malformed public key", what);
    return ALK_OK;
}

static bool padding_valid(struct alk_reader *r)
{
    for (uint8_t expected = 1; r->at < r->end; expected++) {
        if (*r->at++ != expected)
            return false;
    }
    return true;
}

/* Reads the decrypted private section; it must agree with the public blob outside. */
static int read_section(struct alk_key **out, const char *what, const struct container *c,
                        struct alk_error *error)
{
    struct alk_reader r = alk_reader(c->section.data, c->section.len);
    bool checked = alk_get_u32(&r) == alk_get_u32(&r);
    struct alk_bytes type = alk_get_string(&r);
    struct alk_bytes raw = alk_get_string(&r);
    struct alk_bytes secret = alk_get_string(&r);
    struct alk_key *key;
    int rc;

    alk_get_string(&r); /* comment */
    if (!alk_reader_ok(&r) || !checked || c->trailing || c->section.len % BLOCK_SIZE != 0 ||
        !padding_valid(&r) || !alk_bytes_equal(type, ALK_KEY_TYPE) ||
        raw.len != crypto_sign_PUBLICKEYBYTES || secret.len != crypto_sign_SECRETKEYBYTES)
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: malformed private section", what);
    rc = alk_key_from_seed(&key, secret.data);
    if (rc != ALK_OK)
        return alk_error_set(error, rc, "out of memory for %s", what);
    if (memcmp(key->blob, c->blob.data, ALK_KEY_BLOB_SIZE) != 0 ||
        memcmp(alk_key_blob_raw(key->blob, ALK_KEY_BLOB_SIZE), raw.data, raw.len) != 0 ||
        sodium_memcmp(key->secret, secret.data, secret.len) != 0) {
        alk_key_free(key);
        return alk_error_set(error, ALK_E_PARSE,
                             "%s is damaged: its public and private halves do not match", what);
    }
    *out = key;
    return ALK_OK;
}

/* ---- encrypted files, through libssh ------------------------------------------ */

static void free_libssh_text(char *text)
{
    if (text != NULL)
        sodium_memzero(text, strlen(text));
    ssh_string_free_char(text);
}

/* Changes the passphrase of a file's text (NULL: none). *out goes to free_libssh_text. */
static int change_passphrase(const char *text, const char *old, const char *new, char **out)
{
    ssh_key key = NULL;
    int rc = ssh_pki_import_privkey_base64(text, old, NULL, NULL, &key);

    *out = NULL;
    if (rc == SSH_OK)
        rc = ssh_pki_export_privkey_base64(key, new, NULL, NULL, out);
    ssh_key_free(key);
    return rc == SSH_OK && *out != NULL ? ALK_OK : ALK_E_CRYPTO;
}

/* The bounds that libssh does not set, and what it cannot read. */
static int check_encryption(const char *what, const struct container *c, struct alk_error *error)
{
    static const char *const ciphers[] = {
        "aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-cbc",
        "aes192-cbc", "aes256-cbc", "3des-cbc",
    };
    struct alk_reader r = alk_reader(c->kdf_options.data, c->kdf_options.len);
    struct alk_bytes salt = alk_get_string(&r);
    uint32_t rounds = alk_get_u32(&r);
    bool known = false;

    for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
        known = known || alk_bytes_equal(c->cipher, ciphers[i]);
    if (!known || !alk_bytes_equal(c->kdf, "bcrypt"))
        return alk_error_set(error, ALK_E_UNSUPPORTED,
                             "%s is encrypted in a way that alknet cannot read; encrypt it anew "
                             "with: ssh-keygen -p -Z aes256-ctr -f FILE",
                             what);
    if (!alk_reader_done(&r) || salt.len == 0 || rounds == 0)
        return alk_error_set(error, ALK_E_PARSE, "%s is damaged: malformed bcrypt options", what);
    if (rounds > KDF_ROUNDS_MAX)
        return alk_error_set(error, ALK_E_LIMIT,
                             "%s asks for %u bcrypt rounds, more than %d; encrypt it anew with: "
                             "ssh-keygen -p -a 100 -f FILE",
                             what, (unsigned)rounds, KDF_ROUNDS_MAX);
    return ALK_OK;
}

static int decode_encrypted(struct alk_key **out, const char *what, const char *text, size_t len,
                            const char *passphrase, struct alk_error *error)
{
    char *plain = NULL;
    char *copy = sodium_malloc(len + 1); /* libssh wants a NUL at the end */
    int rc;

    if (copy == NULL)
        return alk_error_set(error, ALK_E_NOMEM, "out of memory for %s", what);
    memcpy(copy, text, len);
    copy[len] = '\0';
    rc = change_passphrase(copy, passphrase, NULL, &plain);
    if (rc != ALK_OK)
        rc = alk_error_set(error, ALK_E_AUTH, "wrong passphrase for %s", what);
    else
        rc = alk_key_decode_file(out, what, plain, strlen(plain), NULL, error);
    free_libssh_text(plain);
    sodium_free(copy);
    return rc;
}

static bool is_plain(const struct container *c)
{
    return alk_bytes_equal(c->cipher, "none") && alk_bytes_equal(c->kdf, "none");
}

int alk_key_decode_public_half(uint8_t blob[ALK_KEY_BLOB_SIZE], bool *encrypted, const char *what,
                               const char *text, size_t len, struct alk_error *error)
{
    struct container c = {.trailing = false};
    uint8_t *bytes = NULL;
    size_t size = 0;

    if (!starts_with(text, len, begin_mark))
        return refuse_format(what, text, len, error);
    int rc = decode_armour(what, text, len, &bytes, &size, error);
    if (rc == ALK_OK)
        rc = read_container(what, bytes, size, &c, error);
    if (rc == ALK_OK) {
        memcpy(blob, c.blob.data, ALK_KEY_BLOB_SIZE);
        *encrypted = !is_plain(&c);
    }
    sodium_free(bytes);
    return rc;
}

int alk_key_decode_file(struct alk_key **out, const char *what, const char *text, size_t len,
                        const char *passphrase, struct alk_error *error)
{
    struct container c = {.trailing = false};
    uint8_t *bytes = NULL;
    size_t size = 0;
    int rc;

    *out = NULL;
    if (!starts_with(text, len, begin_mark))
        return refuse_format(what, text, len, error);
    rc = decode_armour(what, text, len, &bytes, &size, error);
    if (rc != ALK_OK)
        return rc;
    rc = read_container(what, bytes, size, &c, error);
    if (rc != ALK_OK)
        goto out;
    if (is_plain(&c)) {
        rc = read_section(out, what, &c, error);
        goto out;
    }
    rc = check_encryption(what, &c, error);
    if (rc != ALK_OK)
        goto out;
    if (passphrase == NULL)
        rc = alk_error_set(error, ALK_E_AUTH, "%s is encrypted and needs its passphrase", what);
    else
        rc = decode_encrypted(out, what, text, len, passphrase, error);
out:
    sodium_free(bytes);
    return rc;
}

int alk_key_parse(struct alk_key **out, const void *text, size_t len, const char *passphrase,
                  struct alk_error *error)
{
    *out = NULL;
    if (len > ALK_KEY_FILE_MAX)
        return alk_error_set(error, ALK_E_LIMIT, "the private key is longer than %d bytes",
                             ALK_KEY_FILE_MAX);
    return alk_key_decode_file(out, "the private key", text, len, passphrase, error);
}

/* ---- writing ------------------------------------------------------------------ */

static void put_section(struct alk_writer *w, const struct alk_key *key, const char *comment)
{
    const uint8_t *start = w->at;
    uint32_t check = randombytes_random();

    alk_put_u32(w, check);
    alk_put_u32(w, check);
    alk_put_text(w, ALK_KEY_TYPE);
    alk_put_string(w, alk_key_blob_raw(key->blob, ALK_KEY_BLOB_SIZE), crypto_sign_PUBLICKEYBYTES);
    alk_put_string(w, key->secret, sizeof(key->secret));
    alk_put_text(w, comment);
    for (uint8_t pad = 1; (w->at - start) % BLOCK_SIZE != 0; pad++)
        alk_put_u8(w, pad);
}

static void put_container(struct alk_writer *w, const struct alk_key *key, const char *comment)
{
    uint8_t *section_length;
    struct alk_writer length;

    alk_put_bytes(w, magic, sizeof(magic));
    alk_put_text(w, "none");
    alk_put_text(w, "none");
    alk_put_string(w, NULL, 0);
    alk_put_u32(w, 1);
    alk_put_string(w, key->blob, ALK_KEY_BLOB_SIZE);
    section_length = w->at;
    alk_put_u32(w, 0); /* known when the section is written */
    put_section(w, key, comment);
    length = alk_writer(section_length, 4);
    alk_put_u32(&length, (uint32_t)(w->at - section_length - 4));
}

/* Base64 in lines between the marks; size must suffice for the NUL as well. */
static bool encode_armour(const uint8_t *bytes, size_t len, char *out, size_t size)
{
    enum { LINE_BYTES = LINE_WIDTH / 4 * 3 };
    struct alk_writer w = alk_writer(out, size);
    char line[LINE_WIDTH + 1];

    alk_put_bytes(&w, begin_mark, strlen(begin_mark));
    alk_put_u8(&w, '\n');
    for (size_t at = 0; at < len; at += LINE_BYTES) {
        size_t part = len - at < LINE_BYTES ? len - at : LINE_BYTES;
        sodium_bin2base64(line, sizeof(line), bytes + at, part, sodium_base64_VARIANT_ORIGINAL);
        alk_put_bytes(&w, line, strlen(line));
        alk_put_u8(&w, '\n');
    }
    sodium_memzero(line, sizeof(line));
    alk_put_bytes(&w, end_mark, strlen(end_mark));
    alk_put_bytes(&w, "\n", 2); /* with the NUL */
    return !w.broken;
}

static int encrypt_text(char *text, size_t size, const char *passphrase)
{
    char *encrypted = NULL;
    int rc = change_passphrase(text, NULL, passphrase, &encrypted);

    if (rc == ALK_OK && strlen(encrypted) >= size)
        rc = ALK_E_LIMIT;
    if (rc == ALK_OK)
        memcpy(text, encrypted, strlen(encrypted) + 1);
    free_libssh_text(encrypted);
    return rc;
}

int alk_key_encode_file(const struct alk_key *key, const char *comment, const char *passphrase,
                        char **text)
{
    enum { BINARY_MAX = 1024 };
    uint8_t *binary = sodium_malloc(BINARY_MAX);
    char *out = sodium_malloc(TEXT_MAX);
    struct alk_writer w;
    int rc = ALK_E_NOMEM;

    *text = NULL;
    if (binary == NULL || out == NULL)
        goto out;
    w = alk_writer(binary, BINARY_MAX);
    put_container(&w, key, comment);
    rc = ALK_E_LIMIT;
    if (w.broken || !encode_armour(binary, alk_writer_len(&w), out, TEXT_MAX))
        goto out;
    rc = passphrase != NULL ? encrypt_text(out, TEXT_MAX, passphrase) : ALK_OK;
    if (rc != ALK_OK)
        goto out;
    *text = out;
    out = NULL;
out:
    sodium_free(out);
    sodium_free(binary);
    return rc;
}
