/* Asking a person for a passphrase on the terminal, without echo. */
#ifndef ALKNET_PASSPHRASE_H
#define ALKNET_PASSPHRASE_H

#include <stddef.h>

/* Fits alk_passphrase_fn: takes ALKNET_IDENTITY_PASSPHRASE from the environment first, then
 * asks on the terminal. Negative when there is neither. */
int passphrase_ask(char *buffer, size_t size, const char *path, unsigned attempt, void *user);

/* Asks for a new one, twice. "" is a valid answer: no passphrase. Returns 0,
 * PASSPHRASE_DIFFERS, or another negative value without a terminal. */
enum { PASSPHRASE_DIFFERS = -2 };
int passphrase_new(char *buffer, size_t size, const char *path);

#endif
