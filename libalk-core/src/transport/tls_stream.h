/*
 * A stream that is TLS over another stream, whatever that is: a socket, a connection through
 * a proxy, bytes that were peeked. Its transport is "tls", its peer that of the stream below.
 *
 * What is written is sealed at once and waits, bounded, for the stream below to take it; closing
 * the stream says farewell and lets that go on for a few seconds by itself. A peer that just
 * vanishes is told apart from one that said farewell: reading gives ALK_E_CLOSED, not 0.
 */
#ifndef ALK_TRANSPORT_TLS_STREAM_H
#define ALK_TRANSPORT_TLS_STREAM_H

#include <stdint.h>

struct alk_stream;
struct alk_tls_context;
struct alk_tls_handshake;

/* The outcome, exactly once, from the loop. ALK_OK: stream belongs to the callee. Otherwise stream
 * is NULL, the one below is closed, and why is a clause for a person; borrowed for the call. */
typedef void (*alk_tls_fn)(void *user, int status, struct alk_stream *stream, const char *why);

/* Begins a handshake, on the loop of lower, which belongs to it from then on. The context says
 * which side; server_name is for clients (see alk_tls_new). context is held. It is over, one way
 * or the other, after timeout_ms at the latest. On failure (ALK_E_NOMEM) lower is still the
 * caller's. *out is invalid once fn has been called. */
int alk_tls_handshake_start(struct alk_tls_handshake **out, struct alk_stream *lower,
                            struct alk_tls_context *context, const char *server_name,
                            uint64_t timeout_ms, alk_tls_fn fn, void *user);

/* Gives up and closes: fn will not be called. NULL is allowed. */
void alk_tls_handshake_cancel(struct alk_tls_handshake *handshake);

/* For logs: "TLSv1.3 TLS_AES_128_GCM_SHA256", of a stream that a handshake has made. */
void alk_tls_stream_describe(const struct alk_stream *stream, char *out, unsigned size);

#endif
