/*
 * What the dialogues with local proxy clients (SOCKS, HTTP CONNECT) share: where
 * they stand, and how the outcome of a request is told to them.
 */
#ifndef ALK_TUNNEL_DIALOGUE_H
#define ALK_TUNNEL_DIALOGUE_H

enum alk_dialogue_state {
    ALK_DIALOGUE_MORE,    /* feed more */
    ALK_DIALOGUE_REQUEST, /* host and port are known; the final reply is still owed */
    ALK_DIALOGUE_FAILED,  /* send the reply, if any, and close */
};

/* An outcome is ALK_OK, another enum alk_status, or the positive reason code with
 * which an SSH server refused the channel (RFC 4254 section 5.1). */
enum alk_open_refusal {
    ALK_OPEN_PROHIBITED = 1,
    ALK_OPEN_CONNECT_FAILED = 2,
    ALK_OPEN_UNKNOWN_TYPE = 3,
    ALK_OPEN_SHORTAGE = 4,
};

#endif
