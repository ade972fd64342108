/* The binary key revocation list, OpenSSH's PROTOCOL.krl. */
#include "auth/revocation_set.h"

#include <stdlib.h>
#include <string.h>

enum section {
    SECTION_CERTIFICATES = 1,
    SECTION_EXPLICIT_KEY = 2,
    SECTION_FINGERPRINT_SHA1 = 3,
    SECTION_SIGNATURE = 4,
    SECTION_FINGERPRINT_SHA256 = 5,
    SECTION_EXTENSION = 255,
};

enum certificate_section {
    SECTION_SERIAL_LIST = 0x20,
    SECTION_SERIAL_RANGE = 0x21,
    SECTION_SERIAL_BITMAP = 0x22,
    SECTION_KEY_ID = 0x23,
    SECTION_CERTIFICATE_EXTENSION = 0x39,
};

enum { FORMAT_VERSION = 1, AUTHORITIES_MAX = 4096 };

struct krl {
    struct alk_revocations *list;
    const char *what;
    struct alk_error *error;
};

static int malformed(const struct krl *krl, const char *where)
{
    return alk_error_set(krl->error, ALK_E_PARSE,
                         "%s is not a usable key revocation list: malformed %s; make it again with "
                         "ssh-keygen -k",
                         krl->what, where);
}

static int no_memory(const struct krl *krl)
{
    return alk_error_set(krl->error, ALK_E_NOMEM, "out of memory for %s", krl->what);
}

static bool has_more(const struct alk_reader *r)
{
    return alk_reader_ok(r) && r->at < r->end;
}

/* ---- certificates of one authority ---- */

static int add_serials(const struct krl *krl, struct authority *ca, struct span span)
{
    /* serial 0 is what all certificates have whose authority does not number them */
    if (span.first == 0 || span.last < span.first)
        return malformed(krl, "range of serial numbers");
    return spans_add(&ca->serials, span) == ALK_OK ? ALK_OK : no_memory(krl);
}

static int read_serial_list(const struct krl *krl, struct authority *ca, struct alk_reader *r)
{
    int status = ALK_OK;

    while (status == ALK_OK && has_more(r)) {
        uint64_t serial = alk_get_u64(r);
        if (!alk_reader_ok(r))
            return malformed(krl, "list of serial numbers");
        status = add_serials(krl, ca, (struct span){.first = serial, .last = serial});
    }
    return status;
}

static int read_serial_bitmap(const struct krl *krl, struct authority *ca, struct alk_reader *r)
{
    uint64_t offset = alk_get_u64(r);
    struct alk_bytes bits = alk_get_string(r);
    uint8_t *kept;

    /* an mpint: not negative; its numbers must not run past the last serial */
    if (!alk_reader_done(r) || (bits.len > 0 && bits.data[0] > 0x7f))
        return malformed(krl, "bitmap of serial numbers");
    while (bits.len > 0 && bits.data[0] == 0)
        bits.data++, bits.len--;
    if (bits.len == 0)
        return ALK_OK;
    if (UINT64_MAX - offset < bits.len * 8)
        return malformed(krl, "bitmap of serial numbers");
    kept = alk_arena_bytes(&krl->list->arena, bits.len);
    if (kept == NULL)
        return no_memory(krl);
    memcpy(kept, bits.data, bits.len);
    struct span span = {
        .first = offset, .last = offset + bits.len * 8 - 1, .bits = kept, .len = bits.len};
    return spans_add(&ca->serials, span) == ALK_OK ? ALK_OK : no_memory(krl);
}

static int read_key_ids(const struct krl *krl, struct authority *ca, struct alk_reader *r)
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    while (has_more(r)) {
        struct alk_bytes id = alk_get_string(r);
        if (!alk_reader_ok(r))
            return malformed(krl, "list of key ids");
        crypto_hash_sha256(digest, id.data, id.len);
        if (digests_add(&ca->ids, digest) != ALK_OK)
            return no_memory(krl);
    }
    return ALK_OK;
}

/* Extensions may be passed over, unless they say that they may not. */
static int read_extension(const struct krl *krl, struct alk_reader *r)
{
    alk_get_string(r); /* name */
    bool critical = alk_get_bool(r);

    alk_get_string(r); /* contents */
    if (!alk_reader_done(r))
        return malformed(krl, "extension");
    if (critical)
        return alk_error_set(krl->error, ALK_E_UNSUPPORTED,
                             "%s has a critical extension that alknet does not know", krl->what);
    return ALK_OK;
}

static int read_certificate_section(const struct krl *krl, struct authority *ca, uint8_t type,
                                    struct alk_reader *r)
{
    struct span range;

    switch (type) {
    case SECTION_SERIAL_LIST:
        return read_serial_list(krl, ca, r);
    case SECTION_SERIAL_RANGE:
        range = (struct span){.first = alk_get_u64(r)};
        range.last = alk_get_u64(r);
        return alk_reader_done(r) ? add_serials(krl, ca, range)
                                  : malformed(krl, "range of serial numbers");
    case SECTION_SERIAL_BITMAP:
        return read_serial_bitmap(krl, ca, r);
    case SECTION_KEY_ID:
        return read_key_ids(krl, ca, r);
    case SECTION_CERTIFICATE_EXTENSION:
        return read_extension(krl, r);
    default:
        return malformed(krl, "section of certificates: its type is unknown");
    }
}

static struct authority *add_authority(const struct krl *krl, struct alk_bytes blob)
{
    struct alk_revocations *list = krl->list;
    struct authority *grown =
        reallocarray(list->authorities, list->authority_count + 1, sizeof(*list->authorities));
    uint8_t *kept = blob.len > 0 ? alk_arena_bytes(&list->arena, blob.len) : NULL;

    if (grown != NULL)
        list->authorities = grown;
    if (grown == NULL || (blob.len > 0 && kept == NULL))
        return NULL;
    if (kept != NULL)
        memcpy(kept, blob.data, blob.len);
    grown[list->authority_count] = (struct authority){
        .blob = kept, .blob_len = blob.len, .ids.size = crypto_hash_sha256_BYTES};
    return &grown[list->authority_count++];
}

static int read_certificates(const struct krl *krl, struct alk_reader *r)
{
    struct alk_bytes blob = alk_get_string(r);
    int status = ALK_OK;

    alk_get_string(r); /* reserved */
    if (!alk_reader_ok(r) || krl->list->authority_count == AUTHORITIES_MAX)
        return malformed(krl, "section of certificates");
    struct authority *ca = add_authority(krl, blob);
    if (ca == NULL)
        return no_memory(krl);
    while (status == ALK_OK && has_more(r)) {
        uint8_t type = alk_get_u8(r);
        struct alk_bytes section = alk_get_string(r);
        struct alk_reader inner = alk_reader(section.data, section.len);
        if (!alk_reader_ok(r))
            return malformed(krl, "section of certificates");
        status = read_certificate_section(krl, ca, type, &inner);
    }
    return status;
}

/* ---- keys ---- */

static int read_keys(const struct krl *krl, struct alk_reader *r)
{
    while (has_more(r)) {
        struct alk_bytes blob = alk_get_string(r);
        if (!alk_reader_ok(r))
            return malformed(krl, "list of keys");
        if (revocation_add_blob(krl->list, blob.data, blob.len) != ALK_OK)
            return no_memory(krl);
    }
    return ALK_OK;
}

static int read_digests(const struct krl *krl, struct digests *set, struct alk_reader *r)
{
    while (has_more(r)) {
        struct alk_bytes digest = alk_get_string(r);
        if (!alk_reader_ok(r) || digest.len != set->size)
            return malformed(krl, "list of fingerprints");
        if (digests_add(set, digest.data) != ALK_OK)
            return no_memory(krl);
    }
    return ALK_OK;
}

/* ---- the list ---- */

static int read_section(const struct krl *krl, uint8_t type, struct alk_reader *r)
{
    switch (type) {
    case SECTION_CERTIFICATES:
        return read_certificates(krl, r);
    case SECTION_EXPLICIT_KEY:
        return read_keys(krl, r);
    case SECTION_FINGERPRINT_SHA1:
        return read_digests(krl, &krl->list->sha1, r);
    case SECTION_FINGERPRINT_SHA256:
        return read_digests(krl, &krl->list->sha256, r);
    case SECTION_EXTENSION:
        return read_extension(krl, r);
    default:
        return malformed(krl, "section: its type is unknown");
    }
}

int revocation_parse_krl(struct alk_revocations *list, const char *what, const uint8_t *data,
                         size_t len, struct alk_error *error)
{
    struct krl krl = {.list = list, .what = what, .error = error};
    struct alk_reader r = alk_reader(data, len);
    int status = ALK_OK;

    alk_get_bytes(&r, 8); /* the magic, which brought us here */
    uint32_t version = alk_get_u32(&r);
    alk_get_bytes(&r, 3 * 8); /* its number, date and flags */
    alk_get_string(&r);       /* reserved */
    alk_get_string(&r);       /* comment */
    if (!alk_reader_ok(&r) || version != FORMAT_VERSION)
        return malformed(&krl, "head");
    while (status == ALK_OK && has_more(&r)) {
        uint8_t type = alk_get_u8(&r);
        struct alk_bytes section = alk_get_string(&r);
        struct alk_reader inner = alk_reader(section.data, section.len);
        if (type == SECTION_SIGNATURE) { /* of the key above; the file's owner vouches for it */
            alk_get_string(&r);
            if (!alk_reader_ok(&r))
                return malformed(&krl, "signature");
            continue;
        }
        if (!alk_reader_ok(&r))
            return malformed(&krl, "section");
        status = read_section(&krl, type, &inner);
    }
    return status;
}
