/* Reading the files that hold the values of a credential. */
#ifndef ALK_CREDENTIALS_READING_H
#define ALK_CREDENTIALS_READING_H

#include <alk/credential.h>

/* One credential with its values, which are in guarded memory. */
struct credential_reading {
    struct alk_credential_entry entry; /* points into the rest, and into the source */
    struct alk_credential_field fields[ALK_CREDENTIAL_FIELDS_MAX];
    char *values;
};

/* Errors as alk_credential_store_load. To be wiped in any case. */
int credential_read(struct credential_reading *reading, const struct alk_credential_source *source,
                    struct alk_error *error);
void credential_reading_wipe(struct credential_reading *reading);

/* Puts "FILE:LINE: credential NAME: why" into *error, FILE:LINE if they are known. Returns status. */
int credential_tell(const struct alk_credential_source *source, unsigned line, int status,
                    const char *why, struct alk_error *error);

#endif
