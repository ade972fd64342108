/*
 * Two streams joined: what comes from one goes to the other, its end as well, until both
 * directions have ended. Bytes are not looked at.
 */
#ifndef ALK_TRANSPORT_SPLICE_H
#define ALK_TRANSPORT_SPLICE_H

struct alk_splice;
struct alk_stream;

/* Both are closed; called once, from the loop. The splice is to be freed. */
typedef void (*alk_splice_fn)(void *user);

/* Takes two streams of one loop. ALK_E_NOMEM: then the caller still has them. */
int alk_splice_new(struct alk_splice **out, struct alk_stream *one, struct alk_stream *other,
                   alk_splice_fn fn, void *user);

/* Closes what is open; fn is not called. NULL is fine. */
void alk_splice_free(struct alk_splice *splice);

#endif
