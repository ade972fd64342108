/* The SSH key of a program, derived from a BIP39 mnemonic.
 *
 * The mnemonic comes from a descriptor, else from the systemd credential alknet-mnemonic, else
 * from the terminal; a passphrase from a descriptor or the credential
 * alknet-mnemonic-passphrase, else there is none. Neither is ever an argument or in the
 * environment, and both are wiped before mnemonic_key() returns. */
#ifndef ALKNET_MNEMONIC_KEY_H
#define ALKNET_MNEMONIC_KEY_H

#include <alk/key.h>

#include <stdbool.h>

struct mnemonic_source {
    bool wanted;                    /* the program takes its key from a mnemonic */
    int mnemonic_fd, passphrase_fd; /* -1: none was named */
};

#define MNEMONIC_SOURCE_INIT                                                                       \
    {                                                                                              \
        .mnemonic_fd = -1, .passphrase_fd = -1                                                     \
    }

/* The number of a descriptor; on failure prints a usage error naming the option. */
bool mnemonic_fd(const char *option, const char *text, int *fd);

/* Proves that the options fit each other; flag is the one that makes a key wanted. Returns -1,
 * or the exit code after printing a usage error. */
int mnemonic_source_check(const struct mnemonic_source *source, const char *flag);

/* The key at a derivation path. ALK_OK, or a code with its sentence in *error. */
int mnemonic_key(struct alk_key **key, const struct mnemonic_source *source, const char *path,
                 struct alk_error *error);

#endif
