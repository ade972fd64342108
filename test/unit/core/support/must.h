/*
 * Tables of what a text about SSH demands: one row for each MUST. A row says how a scripted peer
 * puts the demand to the test, and what has to come of it. Each row and role is one test; the
 * program's argument --list prints the table as the page docs/conformance.md has it, any other
 * argument runs the rows whose names it matches (as in 'RFC 4253 6.1*').
 *
 * Messages are written as fields with spaces between them:
 *
 *   94         a byte, in most cases the message's number
 *   u:5        uint32
 *   s:text     string; "s:" is empty
 *   n:100      string of so many zero bytes
 *   z:4        so many zero bytes, without length
 *   open unix  string: the channel type that this role is asked to open, over TCP or a Unix socket
 *   *          in an answer: whatever else the message holds
 *
 * and with ";" between messages. A message may also be a step of the script: @kexinit @ecdh
 * @newkeys @login.
 */
#ifndef TEST_MUST_H
#define TEST_MUST_H

#include "support/script.h"

enum { OF_SERVER = 1 << ALK_SSH_SERVER, OF_CLIENT = 1 << ALK_SSH_CLIENT, OF_BOTH = 3 };

struct must {
    const char *section;
    const char *demand; /* in our words */
    const char *peer;   /* what the scripted peer does */

    unsigned of; /* the engine's role */
    enum script_at at;
    bool loose;        /* the key exchange is not strict */
    bool channel;      /* there is a channel: 0 of the engine, 5 of the peer */
    const char *says;  /* before act */
    const char *bytes; /* instead of says: as they are, of length bytes_len or a C string */
    size_t bytes_len;
    void (*before)(struct script *s); /* before the session goes to `at` */
    void (*act)(struct script *s);

    /* What has to come of it. Without any of these the session has to live on. */
    uint32_t ends;      /* a disconnect message for this reason */
    int dies;           /* without a word: this status */
    const char *answer; /* all that the engine says from then on; "" = nothing */

    const char *elsewhere;      /* tested there instead */
    const char *does_not_apply; /* why */
};

/* To be called by main. title: as "RFC 4253", before each section. */
int must_main(int argc, char **argv, const char *title, const struct must *rows, size_t count);

/* Sends messages that are written as above, each as a packet. */
void must_say(struct script *s, const char *says);

/* All that the engine has said since must be this. */
void must_have_said(struct script *s, const char *answer);

#endif
