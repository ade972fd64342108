#include "policy/rule.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char MEND_TARGET[] =
    "the target is none of *, HOST, *.DOMAIN, ADDRESS, ADDRESS/BITS, [IPV6], [IPV6]/BITS, "
    "unix:PATH, alknet-NAME, each but the last two with :PORT, :FIRST-LAST or :* if you like";

static bool is(struct rule_word word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

static bool starts(struct rule_word word, const char *text)
{
    return word.len >= strlen(text) && strncasecmp(word.at, text, strlen(text)) == 0;
}

static struct rule_word cut(struct rule_word word, size_t from)
{
    return (struct rule_word){word.at + from, word.len - from};
}

/* ---- names in sets ---- */

static const char *const transports[] = {"tcp", "tls", "iroh", "unix", NULL};
static const char *const interfaces[] = {"ssh", "raw", "http", "dns", NULL};

static unsigned bit_of(const char *const *names, const char *name, size_t len)
{
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (is((struct rule_word){name, len}, names[i]))
            return 1U << i;
    }
    return 0;
}

unsigned policy_transport_bit(const char *name, size_t len)
{
    return bit_of(transports, name, len);
}

unsigned policy_interface_bit(const char *name, size_t len)
{
    return bit_of(interfaces, name, len);
}

/* The next item of a list with commas. False at its end. */
static bool next_item(struct rule_word *list, struct rule_word *item)
{
    if (list->at == NULL)
        return false;
    const char *comma = memchr(list->at, ',', list->len);
    item->at = list->at;
    item->len = comma != NULL ? (size_t)(comma - list->at) : list->len;
    if (comma != NULL)
        *list = cut(*list, item->len + 1);
    else
        list->at = NULL;
    return true;
}

static const char *parse_set(struct rule_word list, const char *const *names, unsigned *out,
                             const char *complaint)
{
    struct rule_word item;

    if (*out != 0)
        return "an option is given twice; join its list by commas";
    while (next_item(&list, &item)) {
        unsigned bit = bit_of(names, item.at, item.len);
        if (bit == 0)
            return complaint;
        *out |= bit;
    }
    return NULL;
}

static const char *parse_principals(struct rule_word list, struct policy_rule *out)
{
    struct rule_word item;

    if (out->principal_count != 0)
        return "principals= is given twice; join the list by commas";
    while (next_item(&list, &item)) {
        if (item.len == 0)
            return "principals= has an empty name in it; write principals=NAME,NAME";
        if (out->principal_count == ALK_POLICY_LIST_MAX)
            return "principals= names more than 64; give them a scope in common, or write two "
                   "rules";
        out->principals[out->principal_count++] = item;
    }
    return NULL;
}

static const char *parse_option(struct rule_word word, struct policy_rule *out, char why[256])
{
    if (starts(word, "principals="))
        return parse_principals(cut(word, 11), out);
    if (starts(word, "transports="))
        return parse_set(cut(word, 11), transports, &out->transports,
                         "transports= is a list of tcp, tls, iroh, unix");
    if (starts(word, "interfaces="))
        return parse_set(cut(word, 11), interfaces, &out->interfaces,
                         "interfaces= is a list of ssh, raw, http, dns");
    snprintf(why, 256, "\"%.*s\" is none of principals=, transports=, interfaces=",
             (int)(word.len < 64 ? word.len : 64), word.at);
    return why;
}

/* ---- ports ---- */

static bool parse_number(struct rule_word *word, unsigned most, unsigned *out)
{
    size_t digits = 0;

    for (*out = 0; digits < word->len && word->at[digits] >= '0' && word->at[digits] <= '9';
         digits++) {
        if (digits == 5)
            return false;
        *out = *out * 10 + (unsigned)(word->at[digits] - '0');
    }
    *word = cut(*word, digits);
    return digits > 0 && *out <= most;
}

/* What follows the host: nothing, or ":" and ports. */
static const char *parse_ports(struct rule_word rest, struct policy_rule *out)
{
    static const char mend[] = "the port is none of :PORT, :FIRST-LAST and :* with ports from 1 to "
                               "65535";

    out->first = 0;
    out->last = UINT16_MAX;
    if (rest.len == 0)
        return NULL;
    if (rest.at[0] != ':')
        return MEND_TARGET;
    out->has_port = true;
    rest = cut(rest, 1);
    if (is(rest, "*"))
        return NULL;
    if (!parse_number(&rest, UINT16_MAX, &out->first) || out->first == 0)
        return mend;
    out->last = out->first;
    if (rest.len > 0) {
        if (rest.at[0] != '-')
            return mend;
        rest = cut(rest, 1);
        if (!parse_number(&rest, UINT16_MAX, &out->last) || rest.len > 0)
            return mend;
    }
    return out->last < out->first ? "the range of ports is empty; write the smaller one first"
                                  : NULL;
}

/* ---- networks ---- */

static bool has_host_bits(const struct alk_policy_address *network, unsigned bits)
{
    for (unsigned i = bits; i < (network->v6 ? 128U : 32U); i++) {
        if (network->bytes[i / 8] & (0x80 >> i % 8))
            return true;
    }
    return false;
}

/* "/BITS" at the start of *rest, which is taken from it. */
static const char *parse_bits(struct rule_word *rest, bool written_v6, struct policy_rule *out)
{
    unsigned most = written_v6 ? 128 : 32;

    out->bits = most;
    if (rest->len > 0 && rest->at[0] == '/') {
        *rest = cut(*rest, 1);
        if (!parse_number(rest, most, &out->bits))
            return written_v6 ? "the network's length is not a number from 0 to 128"
                              : "the network's length is not a number from 0 to 32";
    }
    if (written_v6 && !out->network.v6) { /* IPv4-mapped: the IPv4 network that it means */
        if (out->bits < 96)
            return "an IPv4-mapped network has 96 bits at least; write IPv4 networks as IPv4";
        out->bits -= 96;
    }
    if (has_host_bits(&out->network, out->bits))
        return "the network's address has bits set behind its length; clear them, or leave the "
               "length out to name one address";
    return NULL;
}

static const char *parse_v6(struct rule_word word, struct policy_rule *out)
{
    const char *close = memchr(word.at, ']', word.len);
    char text[64];
    size_t len = close != NULL ? (size_t)(close - word.at) - 1 : 0;

    if (close == NULL || len >= sizeof(text))
        return "a bracket is not closed; write [IPV6] or [IPV6]/BITS";
    memcpy(text, word.at + 1, len);
    text[len] = '\0';
    if (strchr(text, ':') == NULL || !alk_policy_address_parse(&out->network, text))
        return "what stands in brackets is no IPv6 address";
    out->kind = RULE_NETWORK;
    struct rule_word rest = cut(word, len + 2);
    const char *wrong = parse_bits(&rest, true, out);
    return wrong != NULL ? wrong : parse_ports(rest, out);
}

/* ---- hosts ---- */

static bool is_plain_name(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(name);
}

static const char *parse_name(const char *text, struct policy_rule *out)
{
    if (!policy_name(text, strlen(text), out->name))
        return "the host name has an empty part, or is too long";
    if (strchr(out->name, '*') != NULL || strchr(out->name, '?') != NULL)
        return "a wildcard may only stand for whole labels in front: *.example.com, or alone: *";
    if (!is_plain_name(out->name))
        return "a host name has letters, digits, \"-\", \"_\" and \".\" only; write an "
               "international name in its xn-- form";
    if (policy_name_ends_in_number(out->name))
        return "the host is no name and no IPv4 address of four decimal numbers";
    return NULL;
}

static const char *parse_host(struct rule_word word, struct policy_rule *out)
{
    size_t len = 0;
    char text[ALK_POLICY_HOST_MAX + 1];

    while (len < word.len && word.at[len] != ':' && word.at[len] != '/')
        len++;
    struct rule_word rest = cut(word, len);
    if (len == 0 || len > ALK_POLICY_HOST_MAX)
        return MEND_TARGET;
    if (rest.len > 1 && rest.at[0] == ':' && memchr(rest.at + 1, ':', rest.len - 1) != NULL)
        return "write an IPv6 address in brackets: [2001:db8::1]:443";
    memcpy(text, word.at, len);
    text[len] = '\0';
    const char *wrong;
    if (alk_policy_address_parse(&out->network, text)) {
        out->kind = RULE_NETWORK;
        wrong = parse_bits(&rest, false, out);
    } else if (strcmp(text, "*") == 0) {
        out->kind = RULE_ANY;
        wrong = NULL;
    } else {
        bool suffix = strncmp(text, "*.", 2) == 0;
        out->kind = suffix ? RULE_SUFFIX : RULE_NAME;
        wrong = parse_name(text + (suffix ? 2 : 0), out);
    }
    return wrong != NULL ? wrong : parse_ports(rest, out);
}

/* ---- the rest ---- */

static const char *parse_path(struct rule_word path, struct policy_rule *out)
{
    if (path.len > ALK_POLICY_HOST_MAX)
        return "the path is too long";
    memcpy(out->name, path.at, path.len);
    out->name[path.len] = '\0';
    if (!policy_path_is_plain(out->name))
        return "the path of a Unix socket is absolute, without \".\", \"..\" and \"//\"";
    out->kind = strpbrk(out->name, "*?") != NULL ? RULE_GLOB : RULE_PATH;
    return NULL;
}

static const char *parse_internal(struct rule_word word, struct policy_rule *out)
{
    out->kind = is(word, "alknet-*") ? RULE_INTERNAL_ANY : RULE_INTERNAL;
    if (!policy_name(word.at, word.len, out->name))
        return "the name of the internal channel is too long";
    if (out->kind == RULE_INTERNAL && (!is_plain_name(out->name) || word.len <= strlen("alknet-")))
        return "an internal channel is alknet-NAME or alknet-*, without a port";
    return NULL;
}

static const char *parse_target(struct rule_word word, struct policy_rule *out)
{
    out->first = 0;
    out->last = UINT16_MAX;
    if (starts(word, "listen:")) {
        out->listen = true;
        word = cut(word, strlen("listen:"));
    }
    if (starts(word, "unix:"))
        return parse_path(cut(word, strlen("unix:")), out);
    if (starts(word, "alknet-"))
        return out->listen ? "nobody listens on an internal channel" : parse_internal(word, out);
    const char *wrong =
        word.len > 0 && word.at[0] == '[' ? parse_v6(word, out) : parse_host(word, out);
    if (wrong == NULL && out->listen &&
        (out->kind == RULE_SUFFIX ||
         (out->kind == RULE_NAME && strcmp(out->name, "localhost") != 0)))
        return "listen: takes *, localhost, an address, a network or unix:PATH";
    return wrong;
}

static bool next_word(const char **text, struct rule_word *word)
{
    *text += strspn(*text, " \t");
    word->at = *text;
    word->len = strcspn(*text, " \t");
    *text += word->len;
    return word->len > 0;
}

const char *policy_rule_parse(struct policy_rule *out, const char *text, char why[256])
{
    struct rule_word word;

    memset(out, 0, sizeof(*out));
    if (strnlen(text, ALK_POLICY_TEXT_MAX + 1) > ALK_POLICY_TEXT_MAX)
        return "the rule is longer than 16384 bytes; split it";
    if (!next_word(&text, &word) || (!is(word, "allow") && !is(word, "deny")))
        return "a rule begins with allow or deny";
    out->allow = is(word, "allow");
    if (!next_word(&text, &word))
        return "the target is missing; write for example allow *.example.com:443";
    const char *wrong = parse_target(word, out);
    while (wrong == NULL && next_word(&text, &word))
        wrong = parse_option(word, out, why);
    return wrong;
}
