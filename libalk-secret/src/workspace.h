/* Guarded memory for the phrase and the passphrase while a call works on them. */
#ifndef ALK_WORKSPACE_H
#define ALK_WORKSPACE_H

#include "normalise.h"

/* The salt of PBKDF2 is `prefix` and the normalised passphrase behind it. */
struct alk_workspace {
    char phrase[ALK_MNEMONIC_SIZE];
    size_t room; /* elements of text in use; the rest is zero */
    char prefix[8];
    int32_t text[ALK_NFKD_ROOM(ALK_MNEMONIC_INPUT_MAX)];
};

/* A workspace of the caller's own for texts of up to `longest` bytes, at most
 * ALK_MNEMONIC_INPUT_MAX; NULL when there is no memory. Any thread. */
struct alk_workspace *alk_workspace_take(size_t longest);

/* Wipes a workspace and gives it back; NULL is allowed. */
void alk_workspace_give(struct alk_workspace *w);

#endif
