/*
 * TLS contexts from the files that settings name.
 */
#ifndef ALK_TRANSPORT_TLS_FILES_H
#define ALK_TRANSPORT_TLS_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct alk_error;
struct alk_tls_context;

/* A server's, from the files of its chain and its key. The key must not be readable by others
 * (its group may: packaged certificates have one for that). Errors: those of alk_file_load and
 * alk_tls_server_context. */
int alk_tls_server_load(struct alk_tls_context **out, const char *chain, const char *key,
                        struct alk_error *error);

/* ALK_OK, or ALK_E_CERT with a sentence: the server's certificate has expired, or is not valid
 * yet, at now (Unix seconds). file is its name. */
int alk_tls_check_validity(const struct alk_tls_context *context, const char *file, int64_t now,
                           struct alk_error *error);

/* A client's: see struct alk_tls_trust. authorities is a file, or NULL. */
int alk_tls_client_load(struct alk_tls_context **out, const char *authorities, const char *pins,
                        bool insecure, struct alk_error *error);

#endif
