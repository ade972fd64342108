/*
 * The options of an authorized_keys line (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
 * What restricts where and when a key may be used is enforced; an option that alknet
 * does not know refuses the line, since it could be a restriction.
 */
#include "auth/authorized_keys_line.h"
#include "auth/pattern.h"
#include "auth/timespec.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PERMITS_MAX = 4096, HOST_MAX = 1024, NAME_SHOWN = 40, TUNNEL_MAX = 0x7ffffffd };

/* A list of permit entries that is still growing. */
struct permits {
    const char **items;
    size_t count, room;
};

struct parser {
    const struct alk_authorized_line *line;
    struct alk_authorized_key *key;
    struct permits open, listen;
    bool command, scoped;
};

struct option {
    const char *name;
    bool valued; /* name="value" */
    int (*apply)(struct parser *parser, const struct option *option, const char *value);
    const char *remark; /* for apply_noop */
};

static int refuse(const struct parser *parser, const struct option *option, const char *why)
{
    alk_authorized_line_note(parser->line, true, "%s%s %s", option->name, option->valued ? "=" : "",
                             why);
    return ALK_E_PARSE;
}

static void remark(const struct parser *parser, const struct option *option, const char *what)
{
    alk_authorized_line_note(parser->line, false, "%s%s %s", option->name,
                             option->valued ? "=" : "", what);
}

/* ---- what each option does -------------------------------------------------------- */

static int apply_noop(struct parser *parser, const struct option *option, const char *value)
{
    (void)value;
    if (option->remark != NULL)
        remark(parser, option, option->remark);
    return ALK_OK;
}

/* Nothing is done with it, but a line that sshd cannot read lets nobody in there either. */
static int apply_environment(struct parser *parser, const struct option *option, const char *value)
{
    size_t name = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    if (name == 0 || value[name] != '=')
        return refuse(parser, option, "is not NAME=value");
    remark(parser, option, option->remark);
    return ALK_OK;
}

static int apply_tunnel(struct parser *parser, const struct option *option, const char *value)
{
    const char *digits = value + (*value == '+');
    size_t count = strspn(digits, "0123456789");

    if (strcasecmp(value, "any") != 0 &&
        (count == 0 || digits[count] != '\0' || strtoull(digits, NULL, 10) > TUNNEL_MAX))
        return refuse(parser, option, "is not the number of a device, nor any");
    remark(parser, option, option->remark);
    return ALK_OK;
}

static int apply_no_forwarding(struct parser *parser, const struct option *option,
                               const char *value)
{
    (void)option;
    (void)value;
    parser->key->port_forwarding = false;
    return ALK_OK;
}

static int apply_flag(struct parser *parser, const struct option *option, const char *value)
{
    struct alk_authorized_key *key = parser->key;

    (void)value;
    if (strcmp(option->name, "cert-authority") == 0)
        key->cert_authority = true;
    else if (strstr(option->name, "touch") != NULL)
        key->touch_required = strncmp(option->name, "no-", 3) != 0;
    else
        key->verify_required = strncmp(option->name, "no-", 3) != 0;
    return ALK_OK;
}

static int apply_forwarding(struct parser *parser, const struct option *option, const char *value)
{
    (void)option;
    (void)value;
    parser->key->port_forwarding = true;
    return ALK_OK;
}

static int apply_command(struct parser *parser, const struct option *option, const char *value)
{
    (void)value;
    if (parser->command)
        return refuse(parser, option, "appears twice");
    parser->command = true;
    remark(parser, option, "runs nothing here; the key gets no forwarding");
    return ALK_OK;
}

static int apply_from(struct parser *parser, const struct option *option, const char *value)
{
    const char *problem;
    bool names;

    if (parser->key->from != NULL)
        return refuse(parser, option, "appears twice");
    problem = alk_address_list_problem(value, &names);
    if (problem != NULL)
        return refuse(parser, option, problem);
    if (names)
        remark(parser, option,
               "has a host name, which never matches: alknet does not look up the names of "
               "addresses");
    parser->key->from = value;
    return ALK_OK;
}

static int apply_expiry(struct parser *parser, const struct option *option, const char *value)
{
    uint64_t expiry;

    if (!alk_timespec_parse(value, &expiry))
        return refuse(parser, option, "is not a time; write YYYYMMDD[HHMM[SS]][Z]");
    if (parser->key->expiry == 0 || expiry < parser->key->expiry)
        parser->key->expiry = expiry;
    return ALK_OK;
}

static int refuse_list(const struct parser *parser, const struct option *option, int status,
                       const char *why)
{
    return status == ALK_E_PARSE ? refuse(parser, option, why) : status;
}

static int apply_principals(struct parser *parser, const struct option *option, const char *value)
{
    struct alk_authorized_key *key = parser->key;

    if (key->principals != NULL)
        return refuse(parser, option, "appears twice");
    return refuse_list(parser, option,
                       alk_names_parse(parser->line->arena, value, strlen(value), &key->principals,
                                       &key->principal_count),
                       "is not a list of names with commas between them");
}

static int apply_scopes(struct parser *parser, const struct option *option, const char *value)
{
    struct alk_authorized_key *key = parser->key;

    if (parser->scoped)
        return refuse(parser, option, "appears twice");
    parser->scoped = true;
    return refuse_list(parser, option,
                       alk_scopes_parse(parser->line->arena, value, strlen(value), &key->scopes,
                                        &key->scope_count),
                       "is not a list of scopes: up to 64, such as relay:connect,metrics:read");
}

static int apply_resources(struct parser *parser, const struct option *option, const char *value)
{
    struct alk_authorized_key *key = parser->key;

    if (key->resources != NULL)
        return refuse(parser, option, "appears twice");
    return refuse_list(
        parser, option,
        alk_resources_parse(parser->line->arena, value, &key->resources, &key->resource_count),
        "is not a list of type:name, such as service:gitea,service:wiki");
}

static int add_permit(struct permits *permits, const char *value)
{
    if (permits->count == permits->room) {
        size_t room = permits->room > 0 ? permits->room * 2 : 8;
        const char **items = realloc(permits->items, room * sizeof(*items));
        if (items == NULL)
            return ALK_E_NOMEM;
        permits->items = items;
        permits->room = room;
    }
    permits->items[permits->count++] = value;
    return ALK_OK;
}

/* The port of a permit as sshd reads it: a number, or what services(5) calls it; 0 for neither. */
static unsigned long permit_port(const char *text)
{
    const char *digits = text + strspn(text, " \t\n\v\f\r");
    struct servent service, *found = NULL;
    char buffer[1024];
    unsigned long number;
    char *end;

    digits += *digits == '+';
    if (*digits >= '0' && *digits <= '9') {
        number = strtoul(digits, &end, 10);
        if (*end == '\0')
            return number <= 65535 ? number : 0;
    }
    if (getservbyname_r(text, "tcp", &service, buffer, sizeof(buffer), &found) != 0 ||
        found == NULL)
        return 0;
    return ntohs((uint16_t)found->s_port);
}

/* How many bytes the host at the beginning of a permit has, its brackets with it; it ends at
 * ":" or "/", as in sshd. False when it does not end, or is longer than a name can be. */
static bool permit_host(const char *value, size_t *len)
{
    const char *bracket = value[0] == '[' ? strchr(value, ']') : value;

    if (bracket == NULL)
        return false;
    *len = (size_t)(bracket - value) + (value[0] == '[' ? 1 : strcspn(value, ":/"));
    return *len <= HOST_MAX && (value[*len] == ':' || value[*len] == '/');
}

/* "host:port" in the arena, the host as it stands and the port a number or "*". NULL with
 * ALK_E_PARSE or ALK_E_NOMEM. A listener's port may stand alone, for any address. */
static const char *plain_permit(struct alk_arena *arena, const char *value, bool bare_port,
                                int *status)
{
    bool bare = bare_port && strchr(value, ':') == NULL;
    const char *port = value;
    unsigned long number = 0;
    size_t host_len = 1, room;
    char *plain;

    *status = ALK_E_PARSE;
    if (!bare) {
        if (!permit_host(value, &host_len))
            return NULL;
        port = value + host_len + 1;
    }
    if (strcmp(port, "*") != 0 && (number = permit_port(port)) == 0)
        return NULL;
    *status = ALK_E_NOMEM;
    room = host_len + sizeof(":65535");
    plain = alk_arena_bytes(arena, room);
    if (plain == NULL)
        return NULL;
    *status = ALK_OK;
    if (number == 0)
        snprintf(plain, room, "%.*s:*", (int)host_len, bare ? "*" : value);
    else
        snprintf(plain, room, "%.*s:%lu", (int)host_len, bare ? "*" : value, number);
    return plain;
}

static int apply_permit(struct parser *parser, const struct option *option, const char *value)
{
    bool open = strcmp(option->name, "permitopen") == 0;
    struct permits *permits = open ? &parser->open : &parser->listen;
    int status;
    const char *permit = plain_permit(parser->line->arena, value, !open, &status);

    /* the value stays unsaid: it names a destination */
    if (status == ALK_E_PARSE)
        return refuse(parser, option,
                      open ? "is not host:port, with * for any port"
                           : "is not [host:]port, with * for any port");
    if (permit == NULL)
        return status;
    if (permits->count == PERMITS_MAX)
        return refuse(parser, option, "appears more than 4096 times");
    return add_permit(permits, permit);
}

static const char meaningless[] = "has no meaning here";
static const struct option options[] = {
    {"restrict", false, apply_no_forwarding, NULL},
    {"port-forwarding", false, apply_forwarding, NULL},
    {"no-port-forwarding", false, apply_no_forwarding, NULL},
    {"from", true, apply_from, NULL},
    {"expiry-time", true, apply_expiry, NULL},
    {"permitopen", true, apply_permit, NULL},
    {"permitlisten", true, apply_permit, NULL},
    {"command", true, apply_command, NULL},
    /* what these forbid is never offered */
    {"no-pty", false, apply_noop, NULL},
    {"no-agent-forwarding", false, apply_noop, NULL},
    {"no-X11-forwarding", false, apply_noop, NULL},
    {"no-user-rc", false, apply_noop, NULL},
    {"pty", false, apply_noop, meaningless},
    {"agent-forwarding", false, apply_noop, meaningless},
    {"X11-forwarding", false, apply_noop, meaningless},
    {"user-rc", false, apply_noop, meaningless},
    {"environment", true, apply_environment, meaningless},
    {"tunnel", true, apply_tunnel, meaningless},
    {"cert-authority", false, apply_flag, NULL},
    {"principals", true, apply_principals, NULL},
    {"touch-required", false, apply_flag, NULL},
    {"no-touch-required", false, apply_flag, NULL},
    {"verify-required", false, apply_flag, NULL},
    {"no-verify-required", false, apply_flag, NULL},
    {"alk-scopes", true, apply_scopes, NULL},
    {"alk-resources", true, apply_resources, NULL},
};

/* ---- the list ----------------------------------------------------------------------- */

static const struct option *find_option(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strlen(options[i].name) == len && strncasecmp(options[i].name, name, len) == 0)
            return &options[i];
    }
    return NULL;
}

/* Reads the quoted value at *at into the arena, advances behind the closing quote.
 * NULL with *malformed when it is no quoted text. */
static char *read_value(struct alk_arena *arena, const char **at, const char *end, bool *malformed)
{
    const char *from = *at;
    char *value, *to;

    *malformed = true;
    if (from == end || *from != '"')
        return NULL;
    from++;
    *malformed = false;
    for (*at = from; *at < end && **at != '"'; (*at)++) {
        if (**at == '\\' && *at + 1 < end && (*at)[1] == '"')
            (*at)++;
    }
    *malformed = *at == end;
    value = *malformed ? NULL : alk_arena_bytes(arena, (size_t)(*at - from) + 1);
    if (value == NULL)
        return NULL;
    for (to = value; from < *at; from++) {
        if (*from == '\\' && from[1] == '"')
            from++;
        *to++ = *from;
    }
    *to = '\0';
    (*at)++;
    return value;
}

static int parse_option(struct parser *parser, const char **at, const char *end)
{
    const char *name = *at;
    const struct option *option;
    const char *value = NULL;
    bool malformed;

    while (*at < end && **at != '=' && **at != ',' && **at != '"')
        (*at)++;
    option = find_option(name, (size_t)(*at - name));
    if (option == NULL) {
        int shown = *at - name < NAME_SHOWN ? (int)(*at - name) : NAME_SHOWN;
        alk_authorized_line_note(parser->line, true, "unknown option \"%.*s\"", shown, name);
        return ALK_E_PARSE;
    }
    if (option->valued != (*at < end && **at == '='))
        return refuse(parser, option, option->valued ? "needs a value" : "takes no value");
    if (option->valued) {
        (*at)++;
        value = read_value(parser->line->arena, at, end, &malformed);
        if (value == NULL && malformed)
            return refuse(parser, option, "needs a value in double quotes");
        if (value == NULL)
            return ALK_E_NOMEM;
    }
    if (*at < end && **at != ',')
        return refuse(parser, option, "is not followed by a comma or a blank");
    return option->apply(parser, option, value);
}

static int parse_list(struct parser *parser, const char *at, const char *end)
{
    for (;;) {
        int rc = parse_option(parser, &at, end);
        if (rc != ALK_OK || at == end)
            return rc;
        at++; /* the comma */
    }
}

static int keep_permits(struct alk_arena *arena, const struct permits *permits,
                        const char *const **list, size_t *count)
{
    const char **kept;

    if (permits->count == 0)
        return ALK_OK;
    kept = alk_arena_alloc(arena, permits->count * sizeof(*kept));
    if (kept == NULL)
        return ALK_E_NOMEM;
    memcpy(kept, permits->items, permits->count * sizeof(*kept));
    *list = kept;
    *count = permits->count;
    return ALK_OK;
}

int alk_authorized_options_parse(const struct alk_authorized_line *line, const char *text,
                                 size_t len, struct alk_authorized_key *key)
{
    struct parser parser = {.line = line, .key = key};
    int rc = parse_list(&parser, text, text + len);

    /* sshd gives such a key a program; it was not made for tunnels */
    if (parser.command)
        key->port_forwarding = false;
    if (rc == ALK_OK)
        rc = keep_permits(line->arena, &parser.open, &key->open, &key->open_count);
    if (rc == ALK_OK)
        rc = keep_permits(line->arena, &parser.listen, &key->listen, &key->listen_count);
    free(parser.open.items);
    free(parser.listen.items);
    return rc;
}
