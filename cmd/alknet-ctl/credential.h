/* What the parts of alknet-ctl credential share. */
#ifndef CTL_CREDENTIAL_H
#define CTL_CREDENTIAL_H

#include <alk/config.h>
#include <alk/credential.h>

#include <stdbool.h>
#include <stddef.h>

struct credential_option {
    const char *field;
    const char *value; /* of --secret: a file, "-", or NULL to ask */
};

struct credential_request {
    const char *name, *kind_text, *config, *expires, *folder;
    enum alk_credential_kind kind;
    struct credential_option values[ALK_CREDENTIAL_FIELDS_MAX];
    struct credential_option secrets[ALK_CREDENTIAL_FIELDS_MAX];
    size_t value_count, secret_count;
    bool json;
};

/* Each returns the exit code. */
int credential_list(const struct credential_request *request);
int credential_add(struct credential_request *request);
int credential_remove(const struct credential_request *request);

/* Parses a server's file, or what is to become one: ALK_OK, and then no fault. A fault is told as
 * the first of them. *config is to be freed in any case. */
int credential_parse(struct alk_config **config, const char *file, const char *text, size_t len,
                     struct alk_error *error);

/* The one of that name, or NULL. Borrowed from the configuration. */
const struct alk_credential_source *credential_find(const struct alk_config *config,
                                                    const char *name);

#endif
