/*
 * A decoy on a stream: what a stranger who connects talks to, until one of them closes.
 */
#ifndef ALK_INTERFACE_DECOY_SESSION_H
#define ALK_INTERFACE_DECOY_SESSION_H

#include "interface/decoy.h"

struct alk_decoy_session;
struct alk_stream;

/* It is over, and the stream is closed; called once, from the loop. The session is to be freed,
 * from within the call or later. */
typedef void (*alk_decoy_session_fn)(void *user);

/* Takes the stream, on its loop. The parameters are those of alk_decoy_new, since being when the
 * connection was accepted. ALK_E_NOMEM: then the caller still has the stream. */
int alk_decoy_session_new(struct alk_decoy_session **out, struct alk_stream *stream,
                          const char *server, bool secure, uint64_t since, alk_decoy_session_fn fn,
                          void *user);

/* Closes, if it is not over; fn is not called. NULL is fine. */
void alk_decoy_session_free(struct alk_decoy_session *session);

#endif
