#include "auth/pattern.h"

#include <arpa/inet.h>
#include <string.h>

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool alk_pattern_matches(const char *pattern, size_t pattern_len, const char *text)
{
    const char *p = pattern, *end = pattern + pattern_len;
    const char *star = NULL, *resume = NULL;

    while (*text != '\0') {
        if (p < end && *p == '*') {
            star = p++; /* first try: it stands for nothing */
            resume = text;
        } else if (p < end && (*p == '?' || lower(*p) == lower(*text))) {
            p++;
            text++;
        } else if (star != NULL) {
            p = star + 1; /* next try: it stands for one character more */
            text = ++resume;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

/* One part of a list, its "!" taken off. */
struct part {
    const char *text;
    size_t len;
    bool negated;
};

static bool next_part(const char **list, const char *end, struct part *part)
{
    const char *comma;

    if (*list == NULL || *list > end)
        return false;
    comma = memchr(*list, ',', (size_t)(end - *list));
    part->text = *list;
    part->len = (size_t)((comma != NULL ? comma : end) - *list);
    part->negated = part->len > 0 && part->text[0] == '!';
    if (part->negated) {
        part->text++;
        part->len--;
    }
    *list = comma != NULL ? comma + 1 : NULL;
    return true;
}

enum alk_match alk_pattern_list_match(const char *list, size_t list_len, const char *text)
{
    const char *end = list + list_len;
    enum alk_match found = ALK_MATCH_NONE;
    struct part part;

    while (next_part(&list, end, &part)) {
        if (!alk_pattern_matches(part.text, part.len, text))
            continue;
        if (part.negated)
            return ALK_MATCH_NEGATED;
        found = ALK_MATCH_YES;
    }
    return found;
}

/* ---- addresses ------------------------------------------------------------------ */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* Any way to write an IPv4 address that inet_aton() knows: 127.1, 0x7f000001. A list that names
 * an address so shall not mean nothing, the less so where it excludes it. */
static bool parse_v4(const char *text, uint8_t bytes[4])
{
    struct in_addr address;

    if (text[strspn(text, "0123456789abcdefABCDEFxX.")] != '\0' || inet_aton(text, &address) == 0)
        return false;
    memcpy(bytes, &address, 4);
    return true;
}

bool alk_address_parse(const char *text, size_t len, struct alk_plain_address *address)
{
    char copy[INET6_ADDRSTRLEN];
    const char *zone = memchr(text, '%', len);

    if (zone != NULL)
        len = (size_t)(zone - text);
    if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    memset(address, 0, sizeof(*address));
    address->bits = 32;
    if (parse_v4(copy, address->bytes))
        return zone == NULL;
    address->bits = 128;
    if (inet_pton(AF_INET6, copy, address->bytes) != 1)
        return false;
    if (memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        memmove(address->bytes, address->bytes + 12, 4);
        address->bits = 32;
    }
    return true;
}

enum block { NO_BLOCK, BAD_BLOCK, BLOCK };

/* "ADDRESS" or "ADDRESS/BITS" with all bits behind the prefix zero, as sshd demands. */
static enum block parse_block(const struct part *part, struct alk_plain_address *address,
                              unsigned *bits)
{
    const char *slash = memchr(part->text, '/', part->len);
    size_t len = slash != NULL ? (size_t)(slash - part->text) : part->len;
    bool mapped;

    if (!alk_address_parse(part->text, len, address))
        return slash != NULL ? BAD_BLOCK : NO_BLOCK;
    *bits = address->bits;
    if (slash == NULL)
        return BLOCK;
    *bits = 0;
    if (slash + 1 == part->text + part->len || part->len - len > 4)
        return BAD_BLOCK;
    for (const char *at = slash + 1; at < part->text + part->len; at++) {
        if (*at < '0' || *at > '9')
            return BAD_BLOCK;
        *bits = *bits * 10 + (unsigned)(*at - '0');
    }
    mapped = address->bits == 32 && memchr(part->text, ':', len) != NULL;
    if (mapped && *bits < 96)
        return BAD_BLOCK;
    *bits -= mapped ? 96 : 0;
    if (*bits > address->bits)
        return BAD_BLOCK;
    for (unsigned bit = *bits; bit < address->bits; bit++) {
        if ((address->bytes[bit / 8] & 0x80 >> bit % 8) != 0)
            return BAD_BLOCK;
    }
    return BLOCK;
}

static bool block_holds(const struct alk_plain_address *block, unsigned bits,
                        const struct alk_plain_address *address)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (block->bits != address->bits || memcmp(block->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (block->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

/* An address that somebody may have: as it came, without its zone, and in bytes. */
struct peer {
    const char *given;
    char text[INET6_ADDRSTRLEN];
    struct alk_plain_address plain;
};

/* A block with a zone is only for that one; without, for every one. */
static bool zone_matches(const struct part *part, const struct peer *peer)
{
    const char *wanted = memchr(part->text, '%', part->len);
    const char *zone = strchr(peer->given, '%');
    size_t len;

    if (wanted == NULL)
        return true;
    len = strcspn(wanted, "/,");
    return zone != NULL && strlen(zone) == len && memcmp(zone, wanted, len) == 0;
}

static bool part_matches(const struct part *part, const struct peer *peer)
{
    struct alk_plain_address block;
    unsigned bits;

    switch (parse_block(part, &block, &bits)) {
    case BLOCK:
        return block_holds(&block, bits, &peer->plain) && zone_matches(part, peer);
    case NO_BLOCK:
        return alk_pattern_matches(part->text, part->len, peer->text);
    default:
        return false;
    }
}

bool alk_address_list_admits(const char *list, const char *address)
{
    const char *end = list + strlen(list);
    struct peer peer = {.given = address};
    struct part part;
    bool found = false;

    if (!alk_address_parse(address, strlen(address), &peer.plain))
        return false;
    inet_ntop(peer.plain.bits == 32 ? AF_INET : AF_INET6, peer.plain.bytes, peer.text,
              sizeof(peer.text));
    while (next_part(&list, end, &part)) {
        if (!part_matches(&part, &peer))
            continue;
        if (part.negated)
            return false;
        found = true;
    }
    return found;
}

/* Could the pattern match the text of an address at all? */
static bool spells_address(const struct part *part)
{
    static const char characters[] = "0123456789abcdefABCDEF.:*?";

    for (size_t i = 0; i < part->len; i++) {
        if (memchr(characters, part->text[i], sizeof(characters) - 1) == NULL)
            return false;
    }
    return true;
}

const char *alk_address_list_problem(const char *list, bool *names)
{
    const char *end = list + strlen(list);
    struct alk_plain_address block;
    struct part part;
    unsigned bits;

    *names = false;
    while (next_part(&list, end, &part)) {
        enum block kind = parse_block(&part, &block, &bits);
        if (part.len == 0)
            return "has an empty entry";
        if (kind == BAD_BLOCK)
            return "has a malformed address block";
        if (kind == BLOCK || spells_address(&part))
            continue;
        if (part.negated)
            return "excludes a host name, and alknet does not look up the names of addresses";
        *names = true;
    }
    return NULL;
}
