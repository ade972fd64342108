/* Public key lines: "ssh-ed25519 AAAA... comment". */
#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <stdio.h>
#include <string.h>

static const char blanks[] = " \t";

bool alk_key_type_known(const char *text, size_t len)
{
    static const char *const names[] = {
        "ssh-ed25519",
        "ssh-rsa",
        "ssh-dss",
        "ssh-xmss@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-ed448",
        "ssh-ed25519-cert-v01@openssh.com",
        "ssh-rsa-cert-v01@openssh.com",
        "ssh-dss-cert-v01@openssh.com",
        "ssh-xmss-cert-v01@openssh.com",
        "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        "sk-ssh-ed25519-cert-v01@openssh.com",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0)
            return true;
    }
    return false;
}

const char *alk_key_decode_blob(const char *base64, size_t len, uint8_t blob[ALK_KEY_BLOB_SIZE])
{
    /* room for one byte more, so that a longer key is seen as such */
    uint8_t decoded[ALK_KEY_BLOB_SIZE + 1];
    struct alk_bytes type;
    struct alk_reader r;
    size_t decoded_len;

    if (len > sodium_base64_ENCODED_LEN(ALK_KEY_BLOB_SIZE, sodium_base64_VARIANT_ORIGINAL) - 1)
        return "the key is too long for ssh-ed25519";
    if (sodium_base642bin(decoded, sizeof(decoded), base64, len, NULL, &decoded_len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return "the key is not valid base64";
    r = alk_reader(decoded, decoded_len);
    type = alk_get_string(&r);
    if (alk_reader_ok(&r) && !alk_bytes_equal(type, ALK_KEY_TYPE))
        return "the key's data is of another type than ssh-ed25519";
    if (alk_key_blob_raw(decoded, decoded_len) == NULL)
        return "the key is cut short or has the wrong length";
    memcpy(blob, decoded, ALK_KEY_BLOB_SIZE);
    return NULL;
}

/* The comment is free text up to the end of the line; what does not fit is cut. */
static void copy_comment(const char *from, char *out)
{
    size_t len = strcspn(from, "\r\n");

    while (len > 0 && strchr(blanks, from[len - 1]) != NULL)
        len--;
    if (len > ALK_KEY_COMMENT_MAX - 1)
        len = ALK_KEY_COMMENT_MAX - 1;
    memcpy(out, from, len);
    out[len] = '\0';
}

int alk_key_parse_public(const char *line, uint8_t blob[ALK_KEY_BLOB_SIZE], char *comment,
                         struct alk_error *error)
{
    const char *type = line + strspn(line, blanks);
    size_t type_len = strcspn(type, " \t\r\n");
    const char *base64 = type + type_len + strspn(type + type_len, blanks);
    size_t base64_len = strcspn(base64, " \t\r\n");
    const char *problem;

    if (!alk_key_type_known(type, type_len))
        return alk_error_set(error, ALK_E_PARSE,
                             "not a public key line; expected \"ssh-ed25519 AAAA... comment\"");
    if (type_len != strlen(ALK_KEY_TYPE) || memcmp(type, ALK_KEY_TYPE, type_len) != 0)
        return alk_error_set(error, ALK_E_UNSUPPORTED,
                             "unsupported key type %.*s; alknet accepts ssh-ed25519", (int)type_len,
                             type);
    problem = alk_key_decode_blob(base64, base64_len, blob);
    if (problem == NULL && !alk_key_point_valid(alk_key_blob_raw(blob, ALK_KEY_BLOB_SIZE)))
        problem = "the key is not a valid Ed25519 point";
    if (problem != NULL)
        return alk_error_set(error, ALK_E_PARSE, "malformed public key: %s", problem);
    if (comment != NULL)
        copy_comment(base64 + base64_len + strspn(base64 + base64_len, blanks), comment);
    return ALK_OK;
}

int alk_key_format_public(const uint8_t *blob, size_t blob_len, const char *comment, char *out,
                          size_t size)
{
    struct alk_reader r = alk_reader(blob, blob_len);
    struct alk_bytes type = alk_get_string(&r);
    bool commented = comment != NULL && comment[0] != '\0';
    size_t comment_len = commented ? 1 + strlen(comment) : 0;
    size_t base64_size = sodium_base64_encoded_len(blob_len, sodium_base64_VARIANT_ORIGINAL);

    if (!alk_reader_ok(&r) || !alk_key_type_known((const char *)type.data, type.len))
        return ALK_E_INVAL;
    /* base64_size counts the NUL, which stands for the final one here */
    if (size < type.len + 1 + base64_size + comment_len)
        return ALK_E_LIMIT;
    memcpy(out, type.data, type.len);
    out += type.len;
    *out++ = ' ';
    sodium_bin2base64(out, base64_size, blob, blob_len, sodium_base64_VARIANT_ORIGINAL);
    out += base64_size - 1;
    if (commented) {
        *out++ = ' ';
        memcpy(out, comment, strlen(comment) + 1);
    }
    return ALK_OK;
}
