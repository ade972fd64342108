/*
 * The inside of the configuration, shared by the files of this folder only.
 *
 * ini.c          text to sections and entries
 * values.c       durations, sizes, ...
 * config.c       an alk_config: memory, faults, which section and key an entry belongs to
 * keys.c         how a key's text becomes a field
 * server_keys.c  the sections and keys of a server's file: a table
 * credential_keys.c  those of [credential NAME]
 * client_keys.c  those of a client's file
 * check.c        the files that a configuration names
 */
#ifndef ALK_CONFIG_PARSER_H
#define ALK_CONFIG_PARSER_H

#include "base/arena.h"

#include <alk/config.h>
#include <stdint.h>

struct section_def;

enum { KEYS_MAX = 32 }; /* of a section */

/* Behind the name of a field: its value is a secret, and in a file of its own. */
#define FILE_SUFFIX "_file"

/* ---- the tables ---- */

struct key_def {
    const char *name;
    /* Takes the text into the field, or tells a fault. */
    void (*set)(struct alk_config *config, const struct key_def *key, void *base,
                const char *value);
    size_t offset;      /* of the field in what the section fills */
    uint64_t low, high; /* of a number */
    bool repeats;       /* may be given several times */
    bool fixed;         /* a change needs a restart */
    bool words;         /* free text: may hold " #" */
    /* What is wrong with the file of this path, or NULL; for alk_config_check_files. */
    int (*check)(const char *path, struct alk_error *error);
};

struct section_def {
    const char *name;
    bool named;         /* [name SOMETHING], any number of them */
    const char *absent; /* what this build lacks to obey the section */
    /* What the keys fill; NULL after telling a fault. */
    void *(*begin)(struct alk_config *config, const char *name);
    void (*end)(struct alk_config *config, void *base); /* may be NULL */
    const struct key_def *keys;
    size_t key_count;
};

extern const struct section_def alk_config_server_sections[];
extern const size_t alk_config_server_section_count;
extern const struct section_def alk_config_client_sections[];
extern const size_t alk_config_client_section_count;

/* ---- config.c ---- */

struct config_section {
    struct config_section *next;
    const char *text; /* "listener public" */
    unsigned line;
};

struct config_fault {
    unsigned line;
    const char *text;
};

/* An entry as written, for what is asked later. */
struct config_entry {
    struct config_entry *next;
    const struct config_section *section;
    const struct key_def *key;
    const char *value; /* of a path: the path that it means */
    unsigned line;
};

struct config_listener {
    struct config_listener *next;
    struct alk_config_listener listener;
};

struct config_rule {
    struct config_rule *next;
    struct alk_policy_rule_text rule;
};

struct config_api_key {
    struct config_api_key *next;
    struct alk_api_key key;
};

struct config_credential {
    struct config_credential *next;
    struct alk_credential_source source;
    bool has_kind; /* that is known, and in source */
    struct alk_credential_place places[ALK_CREDENTIAL_FIELDS_MAX]; /* of source */
};

struct config_profile {
    struct config_profile *next;
    struct alk_config_profile profile;
};

struct alk_config {
    struct alk_arena arena;
    enum alk_config_kind kind;
    const char *file, *folder, *home;
    struct config_fault *faults; /* by their lines */
    size_t fault_count, fault_room;
    bool no_memory;
    struct config_section *sections;
    unsigned section_count;
    struct config_entry *entries, **entries_end; /* as written */
    struct alk_config_server server;
    struct config_listener *listeners; /* these four the newest first */
    struct config_rule *rules;
    struct config_api_key *api_keys;
    struct config_credential *credentials;
    size_t listener_count, rule_count, api_key_count, credential_count;
    struct config_profile *profiles;

    /* while parsing */
    unsigned line;
    bool in_section;               /* a header has come */
    const struct section_def *def; /* NULL: entries are passed over, the section being at fault */
    struct config_section *section;
    void *base;
    unsigned seen[KEYS_MAX]; /* the line of each key of the section, 0: not yet */
    const char *path;        /* what set_path made of the value */
};

/* Adds "FILE:LINE: sentence" for the present line. */
void config_fault(struct alk_config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Memory of the configuration; NULL sets no_memory. */
void *config_alloc(struct alk_config *config, size_t size);
const char *config_text(struct alk_config *config, const char *text, size_t len);

/* Appends to a list in the configuration's memory. */
bool config_append(struct alk_config *config, const char *const **list, size_t *count,
                   const char *text);

/* ---- keys.c: fields are unsigned (64: uint64_t), bool, const char *, or a list of them ---- */

void set_number(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_seconds(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_seconds64(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_size64(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_rate64(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_time64(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_yes(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_no(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_text(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_path(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_log_level(struct alk_config *, const struct key_def *, void *base, const char *value);
void set_log_format(struct alk_config *, const struct key_def *, void *base, const char *value);
/* An enum alk_transport. */
void set_transport(struct alk_config *, const struct key_def *, void *base, const char *value);
/* A list of numeric addresses and networks. */
void set_networks(struct alk_config *, const struct key_def *, void *base, const char *value);
/* The URL of a proxy; a fault does not repeat it. */
void set_proxy(struct alk_config *, const struct key_def *, void *base, const char *value);
/* This build has nothing that could obey the key. */
void set_absent(struct alk_config *, const struct key_def *, void *base, const char *value);
/* Takes "no" only, for the same reason. */
void set_absent_yes(struct alk_config *, const struct key_def *, void *base, const char *value);

/* Calls each for the words between commas, blanks around them taken off; an empty one is a fault.
 * Returns how many there were. */
size_t config_list(struct alk_config *config, const struct key_def *key, const char *value,
                   void (*each)(struct alk_config *config, void *base, const char *word),
                   void *base);

/* ---- credential_keys.c ---- */

enum { CREDENTIAL_KEYS = 18 };
extern const struct key_def credential_keys[CREDENTIAL_KEYS];
void *begin_credential(struct alk_config *config, const char *name);
void end_credential(struct alk_config *config, void *base);

/* A value of key_source in place of a path. */
#define SHARED_KEYS "shared"

/* ---- check.c ---- */

int check_identity(const char *path, struct alk_error *error);
int check_user(const char *name, struct alk_error *error);
int check_readable(const char *path, struct alk_error *error);
int check_password_file(const char *name_and_path, struct alk_error *error);
int check_authorities_of_tls(const char *path, struct alk_error *error);
int check_socket(const char *path, struct alk_error *error);
int check_host_key(const char *path, struct alk_error *error);
int check_authorized_keys(const char *path, struct alk_error *error);
int check_key_source(const char *path_or_shared, struct alk_error *error);
int check_authorities(const char *path, struct alk_error *error);
int check_revocations(const char *path, struct alk_error *error);

#endif
