/* Wiping what finished work has left in places that no variable names. */
#ifndef ALK_WIPE_H
#define ALK_WIPE_H

/* Overwrites the stack below the caller, and the vector registers, where copying and hashing
 * functions of libc and libcrypto leave what they last moved: registers are in a core dump,
 * too. To be called at the end of every operation on secrets. */
void alk_secret_wipe_traces(void);

#endif
