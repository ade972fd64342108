#include "auth/agent.h"
#include "auth/key_internal.h"
#include "ssh/wire.h"

#include <string.h>

enum message {
    SSH_AGENT_FAILURE = 5,
    SSH_AGENTC_REQUEST_IDENTITIES = 11,
    SSH_AGENT_IDENTITIES_ANSWER = 12,
    SSH_AGENTC_SIGN_REQUEST = 13,
    SSH_AGENT_SIGN_RESPONSE = 14,
    SSH_AGENT_EXTENSION_FAILURE = 28,
};

enum { LENGTH_SIZE = 4 };

ssize_t alk_agent_message_length(const uint8_t *data, size_t len)
{
    struct alk_reader r = alk_reader(data, len);
    uint32_t body = alk_get_u32(&r);

    if (!alk_reader_ok(&r))
        return 0;
    if (body > ALK_AGENT_MESSAGE_MAX - LENGTH_SIZE)
        return ALK_E_LIMIT;
    return len - LENGTH_SIZE >= body ? (ssize_t)body + LENGTH_SIZE : 0;
}

size_t alk_agent_request_identities(uint8_t out[5])
{
    struct alk_writer w = alk_writer(out, 5);

    alk_put_u32(&w, 1);
    alk_put_u8(&w, SSH_AGENTC_REQUEST_IDENTITIES);
    return alk_writer_len(&w);
}

/* Opens a whole message of the expected type; *r then stands behind the type. */
static int open_message(const uint8_t *message, size_t len, enum message expected,
                        struct alk_reader *r)
{
    struct alk_reader whole = alk_reader(message, len);
    struct alk_bytes body = alk_get_string(&whole);
    uint8_t type;

    if (!alk_reader_done(&whole))
        return ALK_E_PROTO;
    *r = alk_reader(body.data, body.len);
    type = alk_get_u8(r);
    if (type == SSH_AGENT_FAILURE || type == SSH_AGENT_EXTENSION_FAILURE)
        return ALK_E_DENIED;
    return alk_reader_ok(r) && type == expected ? ALK_OK : ALK_E_PROTO;
}

/* Comments are anybody's text; one that is too long or holds a NUL is cut there. */
static void copy_comment(struct alk_bytes from, char out[ALK_KEY_COMMENT_MAX])
{
    size_t len = from.len < ALK_KEY_COMMENT_MAX - 1 ? from.len : ALK_KEY_COMMENT_MAX - 1;

    memcpy(out, from.data, len);
    out[len] = '\0';
}

int alk_agent_parse_identities(const uint8_t *message, size_t len, alk_agent_wanted_fn wanted,
                               const void *user, struct alk_agent_identity *out, size_t max)
{
    struct alk_reader r;
    uint32_t announced;
    size_t kept = 0;
    int rc = open_message(message, len, SSH_AGENT_IDENTITIES_ANSWER, &r);

    if (rc != ALK_OK)
        return rc;
    if (max > ALK_AGENT_KEYS_MAX)
        max = ALK_AGENT_KEYS_MAX;
    announced = alk_get_u32(&r);
    for (uint32_t i = 0; i < announced && alk_reader_ok(&r); i++) {
        struct alk_bytes blob = alk_get_string(&r);
        struct alk_bytes comment = alk_get_string(&r);
        if (kept == max || !wanted(user, blob.data, blob.len))
            continue;
        out[kept].blob = blob.data;
        out[kept].blob_len = blob.len;
        copy_comment(comment, out[kept].comment);
        kept++;
    }
    return alk_reader_done(&r) ? (int)kept : ALK_E_PROTO;
}

/* By which hash an RSA key is to sign: OpenSSH's agent protocol has flags for that. */
static uint32_t flags_for(const void *data, size_t len)
{
    enum { SSH_AGENT_RSA_SHA2_256 = 2, SSH_AGENT_RSA_SHA2_512 = 4 };
    struct alk_reader r = alk_reader(data, len);

    alk_get_string(&r); /* session */
    alk_get_u8(&r);     /* SSH_MSG_USERAUTH_REQUEST */
    alk_get_string(&r); /* user */
    alk_get_string(&r); /* service */
    alk_get_string(&r); /* "publickey" */
    alk_get_bool(&r);   /* TRUE */
    struct alk_bytes algorithm = alk_get_string(&r);
    if (!alk_reader_ok(&r))
        return 0;
    return alk_bytes_equal(algorithm, "rsa-sha2-256")   ? SSH_AGENT_RSA_SHA2_256
           : alk_bytes_equal(algorithm, "rsa-sha2-512") ? SSH_AGENT_RSA_SHA2_512
                                                        : 0;
}

ssize_t alk_agent_request_signature(const uint8_t *blob, size_t blob_len, const void *data,
                                    size_t data_len, uint8_t *out, size_t size)
{
    enum { FIXED = LENGTH_SIZE + 1 + 4 + 4 + 4 };
    struct alk_writer w = alk_writer(out, size);

    if (blob_len > ALK_AGENT_MESSAGE_MAX - FIXED ||
        data_len > ALK_AGENT_MESSAGE_MAX - FIXED - blob_len || size < FIXED + blob_len + data_len)
        return ALK_E_LIMIT;
    alk_put_u32(&w, (uint32_t)(FIXED + blob_len + data_len - LENGTH_SIZE));
    alk_put_u8(&w, SSH_AGENTC_SIGN_REQUEST);
    alk_put_string(&w, blob, blob_len);
    alk_put_string(&w, data, data_len);
    alk_put_u32(&w, flags_for(data, data_len));
    return (ssize_t)alk_writer_len(&w);
}

int alk_agent_parse_signature(const uint8_t *message, size_t len, const uint8_t **signature,
                              size_t *signature_len)
{
    struct alk_reader r, inner;
    int rc = open_message(message, len, SSH_AGENT_SIGN_RESPONSE, &r);

    if (rc != ALK_OK)
        return rc;
    struct alk_bytes blob = alk_get_string(&r);
    inner = alk_reader(blob.data, blob.len);
    struct alk_bytes type = alk_get_string(&inner);
    struct alk_bytes raw = alk_get_string(&inner);
    if (!alk_reader_done(&r) || !alk_reader_done(&inner) || type.len == 0 || raw.len == 0 ||
        (alk_bytes_equal(type, ALK_KEY_TYPE) && raw.len != crypto_sign_BYTES))
        return ALK_E_PROTO;
    *signature = blob.data;
    *signature_len = blob.len;
    return ALK_OK;
}
