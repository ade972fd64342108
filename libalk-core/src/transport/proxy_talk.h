/*
 * The dialogue with a proxy over a stream to it: a stream to the target comes out.
 */
#ifndef ALK_TRANSPORT_PROXY_TALK_H
#define ALK_TRANSPORT_PROXY_TALK_H

#include <stdint.h>

struct alk_proxy;
struct alk_proxy_talk;
struct alk_stream;

/* The outcome, once: ALK_OK and the stream, which belongs to the callee; else a status and why,
 * in a few words that are good during the call. */
typedef void (*alk_proxy_talk_fn)(void *user, int status, struct alk_stream *stream,
                                  const char *cause);

/* Takes a connected stream to the proxy; fn comes later from the loop. proxy is borrowed, host is
 * copied. ALK_E_NOMEM, ALK_E_INVAL (see alk_proxy_begin): then the caller still has the stream. */
int alk_proxy_talk_start(struct alk_proxy_talk **out, struct alk_stream *stream,
                         const struct alk_proxy *proxy, const char *host, uint16_t port,
                         alk_proxy_talk_fn fn, void *user);

/* Gives up before fn was called: closes the stream. NULL is fine. */
void alk_proxy_talk_cancel(struct alk_proxy_talk *talk);

#endif
