#include "config/parser.h"

#include "base/read_file.h"
#include "config/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECTIONS_MAX = 4096 };

/* ---- memory and faults ---- */

void *config_alloc(struct alk_config *config, size_t size)
{
    void *memory = alk_arena_alloc(&config->arena, size);

    if (memory == NULL)
        config->no_memory = true;
    else
        memset(memory, 0, size);
    return memory;
}

const char *config_text(struct alk_config *config, const char *text, size_t len)
{
    const char *copy = alk_arena_text(&config->arena, text, len);

    config->no_memory |= copy == NULL;
    return copy;
}

/* Lists grow by doubling: they are never long, and what they leave is freed with the rest. */
bool config_append(struct alk_config *config, const char *const **list, size_t *count,
                   const char *text)
{
    bool full = (*count & (*count - 1)) == 0; /* 0 or a power of two */
    const char *copy = config_text(config, text, strlen(text));
    const char **room = NULL;

    if (full) {
        room = config_alloc(config, (*count == 0 ? 1 : *count * 2) * sizeof(*room));
        if (room != NULL && *count > 0)
            memcpy(room, *list, *count * sizeof(*room));
        if (room == NULL)
            return false;
        *list = room;
    }
    if (copy == NULL)
        return false;
    union { /* the list is ours; others only read it */
        const char *const *in;
        const char **out;
    } own = {.in = *list};
    own.out[(*count)++] = copy;
    return true;
}

static bool add_fault(struct alk_config *config, const char *sentence)
{
    if (config->fault_count == config->fault_room) {
        size_t room = config->fault_room == 0 ? 16 : config->fault_room * 2;
        struct config_fault *faults = realloc(config->faults, room * sizeof(*faults));
        if (faults == NULL)
            return false;
        config->faults = faults;
        config->fault_room = room;
    }
    /* what a section lacks is known at its end only, and told where it began */
    size_t at = config->fault_count++;
    for (; at > 0 && config->faults[at - 1].line > config->line; at--)
        config->faults[at] = config->faults[at - 1];
    config->faults[at] = (struct config_fault){config->line, sentence};
    return true;
}

void config_fault(struct alk_config *config, const char *format, ...)
{
    char sentence[1024];
    va_list args;
    const char *text;
    char *line;

    if (config->fault_count > ALK_CONFIG_FAULTS_MAX)
        return;
    if (config->fault_count == ALK_CONFIG_FAULTS_MAX)
        format = "there are more faults; mend these first";
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (asprintf(&line, "%s:%u: %s", config->file, config->line, sentence) < 0) {
        config->no_memory = true;
        return;
    }
    text = config_text(config, line, strlen(line));
    free(line);
    if (text == NULL || !add_fault(config, text))
        config->no_memory = true;
}

/* ---- sections ---- */

static void end_section(struct alk_config *config)
{
    unsigned line = config->line;

    if (config->def != NULL && config->def->end != NULL) {
        config->line = config->section->line;
        config->def->end(config, config->base);
        config->line = line;
    }
    config->def = NULL;
}

static const struct section_def *find_section(const struct alk_config *config, const char *text,
                                              size_t len)
{
    bool server = config->kind == ALK_CONFIG_SERVER;
    const struct section_def *all =
        server ? alk_config_server_sections : alk_config_client_sections;
    size_t count = server ? alk_config_server_section_count : alk_config_client_section_count;

    for (size_t i = 0; i < count; i++) {
        if (strlen(all[i].name) == len && memcmp(all[i].name, text, len) == 0)
            return &all[i];
    }
    return NULL;
}

static void tell_sections(struct alk_config *config, const char *text)
{
    bool server = config->kind == ALK_CONFIG_SERVER;

    config_fault(config, "there is no section [%s]; %s", text,
                 server ? "a server's file has [server], [listener NAME], [auth], [auth.token], "
                          "[tls], [api_key NAME], [credential NAME], [forwarding] and [limits]"
                        : "a client's file has [profile NAME]");
}

/* Letters, digits and what else a name may hold that stands in logs and on command lines. */
static bool is_name(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_.-@";

    return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

static bool is_new(struct alk_config *config, const char *text)
{
    for (const struct config_section *s = config->sections; s != NULL; s = s->next) {
        if (strcmp(s->text, text) == 0) {
            config_fault(config, "[%s] is there already, in line %u; put its keys together", text,
                         s->line);
            return false;
        }
    }
    if (config->section_count == SECTIONS_MAX) {
        config_fault(config, "there are more than %d sections", SECTIONS_MAX);
        return false;
    }
    return true;
}

static void remember_section(struct alk_config *config, const char *text)
{
    struct config_section *section = config_alloc(config, sizeof(*section));

    if (section == NULL)
        return;
    section->text = config_text(config, text, strlen(text));
    section->line = config->line;
    if (section->text == NULL)
        return;
    section->next = config->sections;
    config->sections = config->section = section;
    config->section_count++;
}

static void on_section(void *user, unsigned line, const char *text)
{
    struct alk_config *config = user;
    end_section(config);
    config->line = line;
    config->in_section = true;
    if (text == NULL)
        return;
    size_t len = strcspn(text, " ");
    const char *name = text[len] == ' ' ? text + len + 1 : text + len;
    const struct section_def *def = find_section(config, text, len);

    if (def == NULL) {
        tell_sections(config, text);
    } else if (def->named ? !is_name(name) : text[len] != '\0') {
        config_fault(config,
                     def->named ? "[%s] wants a name of letters, digits, _ . - and @ : [%s NAME]"
                                : "[%s] has no name; write [%s]",
                     text, def->name);
    } else if (is_new(config, text)) {
        if (def->absent != NULL)
            config_fault(config, "[%s]: this build does not have %s; remove the section", text,
                         def->absent);
        remember_section(config, text);
        memset(config->seen, 0, sizeof(config->seen));
        if (def->absent == NULL && !config->no_memory) {
            config->base = def->begin(config, name);
            config->def = config->base != NULL ? def : NULL;
        }
    }
}

/* ---- keys ---- */

static void tell_keys(struct alk_config *config, const char *name)
{
    char names[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < config->def->key_count && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "",
                                config->def->keys[i].name);
    config_fault(config, "[%s] has no key %s; it has %s", config->section->text, name, names);
}

/* A secret that stands where only the name of its file may. */
static bool is_secret_inline(const struct alk_config *config, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < config->def->key_count; i++) {
        const char *known = config->def->keys[i].name;
        if (strncmp(known, name, len) == 0 && strcmp(known + len, FILE_SUFFIX) == 0)
            return true;
    }
    return false;
}

static const struct key_def *find_key(struct alk_config *config, const char *name)
{
    for (size_t i = 0; i < config->def->key_count; i++) {
        if (strcmp(config->def->keys[i].name, name) == 0)
            return &config->def->keys[i];
    }
    if (is_secret_inline(config, name))
        config_fault(config,
                     "%s is a secret, and those do not stand in this file: write it to one that "
                     "nobody else can read, and its path here: %s" FILE_SUFFIX " = PATH",
                     name, name);
    else
        tell_keys(config, name);
    return NULL;
}

/* What is wrong with any value of this form. */
static bool is_value(struct alk_config *config, const struct key_def *key, const char *value)
{
    if (*value == '\0')
        config_fault(config, "%s has no value; give one or remove the line", key->name);
    else if (*value == '"')
        config_fault(config, "%s: values are written without quotes", key->name);
    else if (!key->words && (strstr(value, " #") != NULL || strstr(value, "\t#") != NULL))
        config_fault(config, "%s: a comment behind a value begins with ; not #", key->name);
    else
        return true;
    return false;
}

static void remember_entry(struct alk_config *config, const struct key_def *key, const char *value)
{
    struct config_entry *entry = config_alloc(config, sizeof(*entry));

    if (entry == NULL)
        return;
    entry->section = config->section;
    entry->key = key;
    entry->value = config->path != NULL ? config->path : config_text(config, value, strlen(value));
    entry->line = config->line;
    *config->entries_end = entry;
    config->entries_end = &entry->next;
}

static void on_entry(void *user, unsigned line, const char *name, const char *value)
{
    struct alk_config *config = user;
    const struct key_def *key;

    config->line = line;
    if (!config->in_section)
        config_fault(config, "%s stands before the first [section]", name);
    if (config->def == NULL || config->no_memory)
        return;
    key = find_key(config, name);
    if (key == NULL)
        return;
    unsigned *seen = &config->seen[key - config->def->keys];
    if (*seen != 0 && !key->repeats) {
        config_fault(config, "%s is there already, in line %u; remove one of them", name, *seen);
        return;
    }
    *seen = line;
    config->path = NULL;
    if (!is_value(config, key, value))
        return;
    key->set(config, key, config->base, value);
    remember_entry(config, key, value);
}

static void on_fault(void *user, unsigned line, const char *sentence)
{
    struct alk_config *config = user;

    config->line = line;
    config_fault(config, "%s", sentence);
}

/* ---- life ---- */

/* Lists were collected newest first, and are handed out as written. */
static void finish_listeners(struct alk_config *config)
{
    size_t i = config->listener_count;
    struct alk_config_listener *array = config_alloc(config, (i + 1) * sizeof(*array));

    if (array == NULL)
        return;
    for (const struct config_listener *l = config->listeners; l != NULL; l = l->next)
        array[--i] = l->listener;
    config->server.listeners = array;
    config->server.listener_count = config->listener_count;
}

static void finish_rules(struct alk_config *config)
{
    size_t i = config->rule_count;
    struct alk_policy_rule_text *array = config_alloc(config, (i + 1) * sizeof(*array));

    if (array == NULL)
        return;
    for (const struct config_rule *r = config->rules; r != NULL; r = r->next)
        array[--i] = r->rule;
    config->server.options.rules = array;
    config->server.options.rule_count = config->rule_count;
}

static void finish_api_keys(struct alk_config *config)
{
    size_t i = config->api_key_count;
    struct alk_api_key *array = config_alloc(config, (i + 1) * sizeof(*array));

    if (array == NULL)
        return;
    for (const struct config_api_key *k = config->api_keys; k != NULL; k = k->next)
        array[--i] = k->key;
    config->server.options.api_keys = array;
    config->server.options.api_key_count = config->api_key_count;
}

static void finish_credentials(struct alk_config *config)
{
    size_t i = config->credential_count;
    struct alk_credential_source *array = config_alloc(config, (i + 1) * sizeof(*array));

    if (array == NULL)
        return;
    for (const struct config_credential *c = config->credentials; c != NULL; c = c->next)
        array[--i] = c->source;
    config->server.options.credentials = array;
    config->server.options.credential_count = config->credential_count;
}

static int parse(struct alk_config *config, const char *file, const char *text, size_t len,
                 const char *home)
{
    static const struct alk_ini_visitor visitor = {on_section, on_entry, on_fault};
    const char *slash = strrchr(file, '/');

    config->file = config_text(config, file, strlen(file));
    config->folder = config_text(config, file, slash != NULL ? (size_t)(slash - file) + 1 : 0);
    config->home = home != NULL ? config_text(config, home, strlen(home)) : NULL;
    if (config->no_memory || alk_ini_visit(text, len, &visitor, config) != ALK_OK)
        return ALK_E_NOMEM;
    end_section(config);
    finish_listeners(config);
    finish_rules(config);
    finish_api_keys(config);
    finish_credentials(config);
    return config->no_memory ? ALK_E_NOMEM : ALK_OK;
}

int alk_config_parse(struct alk_config **out, enum alk_config_kind kind, const char *file,
                     const char *text, size_t len, const char *home)
{
    struct alk_config *config = calloc(1, sizeof(*config));

    *out = NULL;
    if (config == NULL)
        return ALK_E_NOMEM;
    config->kind = kind;
    config->entries_end = &config->entries;
    int status = parse(config, file, text, len, home);
    if (status != ALK_OK) {
        alk_config_free(config);
        return status;
    }
    *out = config;
    return ALK_OK;
}

int alk_config_load(struct alk_config **out, enum alk_config_kind kind, const char *path,
                    const char *home, struct alk_error *error)
{
    char *text = NULL;
    size_t len = 0;
    int status;

    *out = NULL;
    status = alk_file_load(path, ALK_CONFIG_FILE_MAX, S_IWGRP | S_IWOTH, &text, &len, error);
    if (status != ALK_OK)
        return status;
    status = alk_config_parse(out, kind, path, text, len, home);
    free(text);
    return status == ALK_OK ? ALK_OK : alk_error_set(error, status, "out of memory for %s", path);
}

void alk_config_free(struct alk_config *config)
{
    if (config == NULL)
        return;
    alk_arena_free(&config->arena);
    free(config->faults);
    free(config);
}

/* ---- questions ---- */

size_t alk_config_fault_count(const struct alk_config *config)
{
    return config->fault_count;
}

const char *alk_config_fault(const struct alk_config *config, size_t index)
{
    return index < config->fault_count ? config->faults[index].text : NULL;
}

unsigned alk_config_fault_line(const struct alk_config *config, size_t index)
{
    return index < config->fault_count ? config->faults[index].line : 0;
}

const struct alk_config_server *alk_config_server(const struct alk_config *config)
{
    return &config->server;
}

const struct alk_config_profile *alk_config_profile(const struct alk_config *config,
                                                    const char *name)
{
    for (const struct config_profile *p = config->profiles; p != NULL; p = p->next) {
        if (strcmp(p->profile.name, name) == 0)
            return &p->profile;
    }
    return NULL;
}

const struct alk_config_profile *alk_config_profile_at(const struct alk_config *config,
                                                       size_t index)
{
    const struct config_profile *p = config->profiles;

    while (p != NULL && index-- > 0)
        p = p->next;
    return p != NULL ? &p->profile : NULL;
}

static bool has_same(const struct alk_config *config, const struct config_entry *wanted)
{
    for (const struct config_entry *e = config->entries; e != NULL; e = e->next) {
        if (e->key == wanted->key && strcmp(e->section->text, wanted->section->text) == 0 &&
            strcmp(e->value, wanted->value) == 0)
            return true;
    }
    return false;
}

/* Whether the other side has the key at all: then the difference is told of the first only. */
static bool has_key(const struct alk_config *config, const struct config_entry *wanted)
{
    for (const struct config_entry *e = config->entries; e != NULL; e = e->next) {
        if (e->key == wanted->key && strcmp(e->section->text, wanted->section->text) == 0)
            return true;
    }
    return false;
}

void alk_config_static_differences(const struct alk_config *running, const struct alk_config *fresh,
                                   alk_config_difference_fn fn, void *user)
{
    char setting[128];

    for (int side = 0; side < 2; side++) {
        const struct alk_config *here = side == 0 ? running : fresh;
        const struct alk_config *there = side == 0 ? fresh : running;
        for (const struct config_entry *e = here->entries; e != NULL; e = e->next) {
            if (!e->key->fixed || has_same(there, e) || (side == 1 && has_key(there, e)))
                continue;
            snprintf(setting, sizeof(setting), "[%s] %s", e->section->text, e->key->name);
            fn(user, setting);
        }
    }
}
