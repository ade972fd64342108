/* How the text of a key becomes a field of what its section fills. */
#include "config/parser.h"
#include "config/values.h"

#include "auth/pattern.h"
#include "transport/proxy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void *field(const struct key_def *key, void *base)
{
    return (char *)base + key->offset;
}

void set_number(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    uint64_t number;

    if (!alk_value_number(value, &number) || number < key->low || number > key->high)
        config_fault(config, "%s wants a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                     key->name, key->low, key->high, value);
    else
        *(unsigned *)field(key, base) = (unsigned)number;
}

void set_seconds(struct alk_config *config, const struct key_def *key, void *base,
                 const char *value)
{
    uint64_t seconds;

    if (!alk_value_duration(value, &seconds) || seconds < key->low || seconds > key->high)
        config_fault(config,
                     "%s wants a duration from %" PRIu64 "s to %" PRIu64
                     "s, such as 30s, 5m, 12h or 30d, not '%s'",
                     key->name, key->low, key->high, value);
    else
        *(unsigned *)field(key, base) = (unsigned)seconds;
}

void set_seconds64(struct alk_config *config, const struct key_def *key, void *base,
                   const char *value)
{
    if (!alk_value_duration(value, field(key, base)))
        config_fault(config, "%s wants a duration such as 30s, 5m, 12h or 30d, not '%s'", key->name,
                     value);
}

void set_size64(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    uint64_t *bytes = field(key, base);

    if (!alk_value_size(value, bytes) || *bytes == 0)
        config_fault(config, "%s wants a size such as 64KB, 512MB or 2GB, not '%s'", key->name,
                     value);
}

void set_rate64(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    uint64_t *rate = field(key, base);

    if (*rate != 0)
        config_fault(config, "%s is given by rate already; remove one of them", key->name);
    else if (!alk_value_rate(value, rate) || *rate == 0)
        config_fault(config, "%s wants a rate such as 64KB/s or 10MB/s, not '%s'", key->name,
                     value);
}

void set_time64(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    if (!alk_value_time(value, field(key, base)))
        config_fault(config, "%s wants a day such as 2027-01-31, or 2027-01-31T12:00:00Z, not '%s'",
                     key->name, value);
}

static bool take_bool(struct alk_config *config, const struct key_def *key, const char *value,
                      bool *out)
{
    if (alk_value_bool(value, out))
        return true;
    config_fault(config, "%s wants yes or no, not '%s'", key->name, value);
    return false;
}

void set_yes(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    bool yes;

    if (take_bool(config, key, value, &yes))
        *(bool *)field(key, base) = yes;
}

void set_no(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    bool yes;

    if (take_bool(config, key, value, &yes))
        *(bool *)field(key, base) = !yes;
}

void set_text(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    *(const char **)field(key, base) = config_text(config, value, strlen(value));
}

/* A path as it is, below home, or below the folder of the file. */
void set_path(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    const char *below = "";
    char path[4096];

    if (strncmp(value, "~/", 2) == 0) {
        if (config->home == NULL) {
            config_fault(config, "%s: ~/ has no meaning here; write the whole path", key->name);
            return;
        }
        below = config->home;
        value++;
    } else if (value[0] != '/') {
        below = config->folder;
    }
    if (snprintf(path, sizeof(path), "%s%s", below, value) >= (int)sizeof(path)) {
        config_fault(config, "%s: the path is too long", key->name);
        return;
    }
    config->path = config_text(config, path, strlen(path));
    *(const char **)field(key, base) = config->path;
}

void set_log_level(struct alk_config *config, const struct key_def *key, void *base,
                   const char *value)
{
    enum alk_log_level level;

    if (alk_log_level_parse(value, &level) != ALK_OK)
        config_fault(config, "%s wants error, warn, info or debug, not '%s'", key->name, value);
    else
        set_text(config, key, base, value);
}

void set_log_format(struct alk_config *config, const struct key_def *key, void *base,
                    const char *value)
{
    enum alk_log_format format;

    if (alk_log_format_parse(value, &format) != ALK_OK)
        config_fault(config, "%s wants logfmt, json or journal, not '%s'", key->name, value);
    else
        set_text(config, key, base, value);
}

void set_networks(struct alk_config *config, const struct key_def *key, void *base,
                  const char *value)
{
    bool names = false;
    const char *problem = alk_address_list_problem(value, &names);

    if (problem != NULL || names)
        config_fault(config, "%s: %s", key->name,
                     problem != NULL ? problem : "write numeric addresses and networks, not names");
    else
        set_text(config, key, base, value);
}

void set_transport(struct alk_config *config, const struct key_def *key, void *base,
                   const char *value)
{
    static const char *const elsewhere[] = {"iroh", "http", "dns"};
    enum alk_transport transport = ALK_TRANSPORT_TCP;

    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        if (strcmp(value, elsewhere[i]) == 0) {
            config_fault(config, "%s: this build does not have %s; it has tcp and tls", key->name,
                         value);
            return;
        }
    }
    if (strcmp(value, "tls") == 0)
        transport = ALK_TRANSPORT_TLS;
    else if (strcmp(value, "tcp") != 0)
        config_fault(config, "%s wants tcp or tls, not '%s'", key->name, value);
    memcpy(field(key, base), &transport, sizeof(transport));
}

void set_proxy(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    struct alk_proxy proxy;
    struct alk_error error;

    if (alk_proxy_parse(value, &proxy, &error) != ALK_OK)
        config_fault(config, "%s: %s", key->name, error.text);
    else
        set_text(config, key, base, value);
    alk_proxy_wipe(&proxy);
}

void set_absent(struct alk_config *config, const struct key_def *key, void *base, const char *value)
{
    (void)base;
    (void)value;
    config_fault(config, "%s: this build does not have it; remove the line", key->name);
}

void set_absent_yes(struct alk_config *config, const struct key_def *key, void *base,
                    const char *value)
{
    bool yes;

    (void)base;
    if (take_bool(config, key, value, &yes) && yes)
        config_fault(config, "%s: this build does not have it; write no, or remove the line",
                     key->name);
}

size_t config_list(struct alk_config *config, const struct key_def *key, const char *value,
                   void (*each)(struct alk_config *config, void *base, const char *word),
                   void *base)
{
    static const char blanks[] = " \t";
    size_t count = 0;

    for (;;) {
        char word[1024];
        value += strspn(value, blanks);
        size_t len = strcspn(value, ",");
        const char *next = value + len;
        while (len > 0 && strchr(blanks, value[len - 1]) != NULL)
            len--;
        if (len == 0 || len >= sizeof(word)) {
            config_fault(config, "%s: %s in the list", key->name,
                         len == 0 ? "a word is missing beside a comma" : "a word is too long");
            return count;
        }
        memcpy(word, value, len);
        word[len] = '\0';
        each(config, base, word);
        count++;
        if (*next == '\0')
            return count;
        value = next + 1;
    }
}
