/* A server's words before the login, for people. */
#ifndef ALKNET_CLIENT_BANNER_H
#define ALKNET_CLIENT_BANNER_H

#include <stddef.h>
#include <stdio.h>

/* Prints the text line by line, each behind "the server says: ", or the jump host that is named;
 * what a terminal might obey, or what turns text around, is written as \ooo. At most 64 lines, of
 * 8 KiB together. */
void banner_print(FILE *out, const char *jump, const char *text, size_t len);

#endif
