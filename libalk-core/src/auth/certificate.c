#include "auth/certificate.h"
#include "auth/pattern.h"

#include <string.h>

enum { USER_CERTIFICATE = 1, HOST_CERTIFICATE = 2, SOURCE_MAX = 1024 };

/* ---- options: what this server has to enforce, or to refuse ---- */

static bool is_text(struct alk_bytes bytes)
{
    return bytes.len == 0 || memchr(bytes.data, '\0', bytes.len) == NULL;
}

/* An option's data that is one string. */
static bool inner_string(struct alk_bytes data, struct alk_bytes *out)
{
    struct alk_reader r = alk_reader(data.data, data.len);

    *out = alk_get_string(&r);
    return alk_reader_done(&r) && is_text(*out);
}

static const char *take_flag(bool *flag, struct alk_bytes data)
{
    *flag = true;
    return data.len == 0 ? NULL : "certificate-option-malformed";
}

static const char *take_text(bool *flag, struct alk_bytes *text, struct alk_bytes data)
{
    if (*flag)
        return "certificate-option-twice";
    *flag = true;
    return inner_string(data, text) ? NULL : "certificate-option-malformed";
}

static const char *take_critical(struct alk_certificate *c, struct alk_bytes name,
                                 struct alk_bytes data)
{
    struct alk_bytes command;

    if (alk_bytes_equal(name, "force-command"))
        return take_text(&c->force_command, &command, data);
    if (alk_bytes_equal(name, "source-address"))
        return take_text(&c->limited_source, &c->source, data);
    if (alk_bytes_equal(name, "verify-required"))
        return take_flag(&c->verify_required, data);
    return "unknown-critical-option";
}

static const char *take_extension(struct alk_certificate *c, struct alk_bytes name,
                                  struct alk_bytes data)
{
    if (alk_bytes_equal(name, "permit-port-forwarding"))
        return take_flag(&c->port_forwarding, data);
    if (alk_bytes_equal(name, "no-touch-required"))
        return take_flag(&c->no_touch_required, data);
    if (alk_bytes_equal(name, "alk-scopes@alknet"))
        return take_text(&c->scoped, &c->scopes, data);
    return NULL; /* an extension only gives, and we do not offer what it gives */
}

typedef const char *(*take_fn)(struct alk_certificate *c, struct alk_bytes name,
                               struct alk_bytes data);

/* A sequence of name and data; false when it is cut short. */
static bool read_options(struct alk_certificate *c, struct alk_bytes list, take_fn take)
{
    struct alk_reader r = alk_reader(list.data, list.len);

    while (alk_reader_ok(&r) && r.at < r.end) {
        struct alk_bytes name = alk_get_string(&r);
        struct alk_bytes data = alk_get_string(&r);
        if (!alk_reader_ok(&r))
            return false;
        const char *problem = take(c, name, data);
        if (c->problem == NULL)
            c->problem = problem;
    }
    return alk_reader_ok(&r);
}

/* ---- the certificate ---- */

static bool read_principals(struct alk_certificate *c)
{
    struct alk_reader r = alk_reader(c->principals.data, c->principals.len);

    while (alk_reader_ok(&r) && r.at < r.end) {
        if (!is_text(alk_get_string(&r)) || ++c->principal_count > ALK_PRINCIPALS_MAX)
            return false;
    }
    return alk_reader_ok(&r);
}

static void skip_key(struct alk_reader *r, const struct alk_user_key *key)
{
    alk_get_string(r); /* type */
    alk_get_string(r); /* nonce */
    alk_get_string(r); /* the key */
    if (key->application != NULL)
        alk_get_string(r);
}

int alk_certificate_parse(const uint8_t *blob, size_t len, struct alk_certificate *c)
{
    struct alk_reader r = alk_reader(blob, len);
    struct alk_bytes critical, extensions;

    *c = (struct alk_certificate){0};
    if (!alk_user_key_parse(blob, len, &c->key) || !c->key.certified)
        return ALK_E_PARSE;
    skip_key(&r, &c->key);
    c->serial = alk_get_u64(&r);
    c->type = alk_get_u32(&r);
    c->id = alk_get_string(&r);
    c->principals = alk_get_string(&r);
    c->valid_after = alk_get_u64(&r);
    c->valid_before = alk_get_u64(&r);
    critical = alk_get_string(&r);
    extensions = alk_get_string(&r);
    alk_get_string(&r); /* reserved */
    c->authority = alk_get_string(&r);
    c->signed_part = (struct alk_bytes){.data = blob, .len = (size_t)(r.at - blob)};
    c->signature = alk_get_string(&r);
    if (!alk_reader_done(&r) || !is_text(c->id) || !read_principals(c) ||
        (c->type != USER_CERTIFICATE && c->type != HOST_CERTIFICATE))
        return ALK_E_PARSE;
    return read_options(c, critical, take_critical) && read_options(c, extensions, take_extension)
               ? ALK_OK
               : ALK_E_PARSE;
}

bool alk_certificate_signed(const struct alk_certificate *c)
{
    return alk_key_verify(c->authority.data, c->authority.len, c->signed_part.data,
                          c->signed_part.len, c->signature.data, c->signature.len) == ALK_OK;
}

bool alk_certificate_names(const struct alk_certificate *c, const char *principal)
{
    struct alk_reader r = alk_reader(c->principals.data, c->principals.len);

    while (alk_reader_ok(&r) && r.at < r.end) {
        if (alk_bytes_equal(alk_get_string(&r), principal))
            return true;
    }
    return false;
}

/* The list holds addresses and blocks only: no patterns, no negation (ssh-keygen(1)). */
static const char *judge_source(const struct alk_certificate *c, const char *address)
{
    char list[SOURCE_MAX];
    bool names;

    if (c->source.len == 0 || c->source.len >= sizeof(list))
        return "certificate-option-malformed";
    memcpy(list, c->source.data, c->source.len);
    list[c->source.len] = '\0';
    if (strspn(list, "0123456789abcdefABCDEF.:/,") != c->source.len ||
        alk_address_list_problem(list, &names) != NULL || names)
        return "certificate-option-malformed";
    return alk_address_list_admits(list, address) ? NULL : "source-address";
}

const char *alk_certificate_judge(const struct alk_certificate *c, const char *address,
                                  uint64_t now_unix)
{
    if (c->type != USER_CERTIFICATE)
        return "host-certificate";
    if (now_unix < c->valid_after)
        return "certificate-not-yet-valid";
    if (now_unix >= c->valid_before)
        return "certificate-expired";
    if (c->problem != NULL)
        return c->problem;
    return c->limited_source ? judge_source(c, address) : NULL;
}
