/* The password that a file holds. */
#ifndef ALKNET_CLIENT_PASSWORD_H
#define ALKNET_CLIENT_PASSWORD_H

enum { PASSWORD_SIZE = 256 }; /* RFC 1929: up to 255 bytes */

/* The first line of a file, without its end. NULL when it was read, else why not. */
const char *password_read(const char *path, char password[PASSWORD_SIZE]);

#endif
