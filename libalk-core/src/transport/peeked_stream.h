/*
 * A stream whose first bytes have been read already: who reads it gets them first, then what
 * the stream below it has. Everything else goes to the stream below.
 */
#ifndef ALK_TRANSPORT_PEEKED_STREAM_H
#define ALK_TRANSPORT_PEEKED_STREAM_H

#include <stddef.h>

struct alk_stream;

/* On success *out owns below; with len 0 it is below itself. data is copied. On ALK_E_NOMEM the
 * caller still has below. */
int alk_peeked_stream_new(struct alk_stream **out, struct alk_stream *below, const void *data,
                          size_t len);

#endif
