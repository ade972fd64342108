/* Algorithm name lists of KEXINIT (RFC 4253 section 7.1). */
#ifndef ALK_SSH_NEGOTIATE_H
#define ALK_SSH_NEGOTIATE_H

#include "ssh/wire.h"

enum { ALK_NAME_MAX = 64 }; /* RFC 4251 section 6 */

enum kexinit_list {
    LIST_KEX,
    LIST_HOST_KEY,
    LIST_CIPHER_C2S,
    LIST_CIPHER_S2C,
    LIST_MAC_C2S,
    LIST_MAC_S2C,
    LIST_COMPRESS_C2S,
    LIST_COMPRESS_S2C,
    LIST_LANGUAGE_C2S,
    LIST_LANGUAGE_S2C,
    LIST_COUNT,
};

struct kexinit {
    struct alk_bytes list[LIST_COUNT];
    bool guess_follows;
};

/* Reads the message behind its number. */
void alk_kexinit_parse(struct alk_reader *r, struct kexinit *init);

/* The first name of the client's list that the server has too; false if none. */
bool alk_negotiate(struct alk_bytes client, struct alk_bytes server, char name[ALK_NAME_MAX + 1]);

bool alk_list_has(struct alk_bytes list, const char *name);

/* Is the first name of both lists the same? (a right guess needs that) */
bool alk_list_same_first(struct alk_bytes a, struct alk_bytes b);

#endif
