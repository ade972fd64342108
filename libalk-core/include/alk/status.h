/*
 * Status codes and errors for people.
 *
 * Functions that can fail return int: 0 (ALK_OK) or one of the negative codes
 * below. A function that takes a struct alk_error * also writes one sentence
 * for a person, which names the thing that failed and how to mend it. The
 * pointer may be NULL. Nothing here allocates; any thread may call it.
 */
#ifndef ALK_STATUS_H
#define ALK_STATUS_H

enum alk_status {
    ALK_OK = 0,
    ALK_E_NOMEM = -1,        /* out of memory */
    ALK_E_INVAL = -2,        /* the caller passed something unusable */
    ALK_E_AGAIN = -3,        /* nothing to read, or no room to write, for now */
    ALK_E_CLOSED = -4,       /* the other side closed, or the object is closing */
    ALK_E_PROTO = -5,        /* the peer broke the protocol */
    ALK_E_LIMIT = -6,        /* a bound was reached */
    ALK_E_DENIED = -7,       /* permission refused */
    ALK_E_NOTFOUND = -8,     /* no such file, key or entry */
    ALK_E_IO = -9,           /* a system call failed */
    ALK_E_CRYPTO = -10,      /* signature, MAC or key did not verify */
    ALK_E_TIMEOUT = -11,     /* not done in time */
    ALK_E_REFUSED = -12,     /* connection refused */
    ALK_E_UNREACHABLE = -13, /* no route to the host or network */
    ALK_E_RESOLVE = -14,     /* the name has no address */
    ALK_E_PARSE = -15,       /* malformed text or file */
    ALK_E_UNSUPPORTED = -16, /* well-formed, but not something alknet speaks */
    ALK_E_EXISTS = -17,      /* already there: a file, a listener */
    ALK_E_AUTH = -18,        /* the peer did not accept our key */
    ALK_E_HOSTKEY = -19,     /* the server's host key is unknown, changed or revoked */
    ALK_E_CERT = -20,        /* the server's TLS certificate or key is not trusted */
    ALK_E_PROXY = -21,       /* the proxy on the way cannot be reached, or refuses */
};

/* A short English text for a code, never NULL; static storage. */
const char *alk_status_text(int status);

struct alk_error {
    int code;       /* enum alk_status */
    char text[512]; /* one sentence, no trailing newline; "" when code is 0 */
};

/* Fills *error (which may be NULL) and returns code, so that
 * `return alk_error_set(error, ALK_E_PARSE, "line %d: ...", n);` reads well. */
int alk_error_set(struct alk_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
