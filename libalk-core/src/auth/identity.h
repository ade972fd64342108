/* What the server keeps inside an identity: the restrictions of the key that it was resolved
 * from. They travel with it through chains. */
#ifndef ALK_AUTH_IDENTITY_H
#define ALK_AUTH_IDENTITY_H

#include <alk/identity.h>

/* drop frees the attachment with the last reference, and is what names its type. Takes the
 * attachment, whatever it returns. */
typedef void (*alk_attachment_drop_fn)(void *attachment);
int alk_identity_new_attached(struct alk_identity **out, const struct alk_identity *data,
                              void *attachment, alk_attachment_drop_fn drop);

/* The attachment that this function drops, or NULL. Borrowed. */
void *alk_identity_attachment(const struct alk_identity *identity, alk_attachment_drop_fn drop);

#endif
