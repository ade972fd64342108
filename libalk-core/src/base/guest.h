/*
 * What goes on living on a loop after its owner has let go of it, for a while: the last bytes of a
 * closed stream on their way. The loop ends those that are still there when it is freed.
 */
#ifndef ALK_BASE_GUEST_H
#define ALK_BASE_GUEST_H

#include <sys/queue.h>

struct alk_loop;

/* Embed it. On the loop's thread only. */
struct alk_loop_guest {
    LIST_ENTRY(alk_loop_guest) entry;
    /* The loop is about to be freed: leave it with alk_loop_see_off, and free what there is. */
    void (*end)(struct alk_loop_guest *guest);
};

void alk_loop_take_in(struct alk_loop *loop, struct alk_loop_guest *guest);
void alk_loop_see_off(struct alk_loop_guest *guest);

#endif
