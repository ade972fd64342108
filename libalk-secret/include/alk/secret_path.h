/* Derivation paths: m/74'/0'/0'/0', where ', h and H after an index mean "hardened". */
#ifndef ALK_SECRET_PATH_H
#define ALK_SECRET_PATH_H

#include <alk/secret_error.h>

#include <stddef.h>
#include <stdint.h>

#define ALK_SECRET_PATH_DEPTH 32            /* levels below m */
#define ALK_SECRET_PATH_SIZE  (2 + 32 * 12) /* a formatted path with its NUL */
#define ALK_SECRET_HARDENED   UINT32_C(0x80000000)

#define ALK_SECRET_PATH_IDENTITY   "m/74'/0'/0'/0'"
#define ALK_SECRET_PATH_HOST_KEY   "m/74'/0'/1'/0'"
#define ALK_SECRET_PATH_ENCRYPTION "m/74'/2'/0'/0'"
#define ALK_SECRET_PATH_ETHEREUM   "m/44'/60'/0'/0/0"

struct alk_secret_path {
    unsigned depth;
    uint32_t index[ALK_SECRET_PATH_DEPTH]; /* ALK_SECRET_HARDENED is the top bit */
};

/* Reads a path. An index is decimal, without leading zeros. On error *path is untouched.
 * E_PATH, E_DEPTH, E_INDEX. */
int alk_secret_path_parse(const char *text, struct alk_secret_path *path,
                          struct alk_secret_error *error);

/* Writes a path with ' for hardened. E_SPACE (ALK_SECRET_PATH_SIZE always suffices). */
int alk_secret_path_format(const struct alk_secret_path *path, char *out, size_t size);

/* m/74'/0'/0'/n', device n. E_INDEX over 2^31-1. */
int alk_secret_path_device(uint32_t n, struct alk_secret_path *path);

/* m/74'/1'/0'/hash', where hash is the first four bytes of the SHA-256 of the site name as
 * given, big-endian, without the top bit. E_ARGUMENT for an empty name. */
int alk_secret_path_site(const char *site, struct alk_secret_path *path);

/* m/74'/2'/0'/(version-1)', the encryption key of a version. E_VERSION outside 1 to 2^31. */
int alk_secret_path_encryption(uint32_t version, struct alk_secret_path *path);

#endif
