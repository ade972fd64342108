/*
 * A task for a loop that is made before it is needed, so that posting it cannot fail.
 */
#ifndef ALK_BASE_TASK_H
#define ALK_BASE_TASK_H

#include <alk/loop.h>

struct alk_task;

int alk_task_new(struct alk_task **out, alk_task_fn fn, void *user);
void alk_task_free(struct alk_task *task); /* one that was not posted; NULL is fine */

/* Any thread: runs it once on the loop's thread, in the order of posting, and frees it. */
void alk_task_post(struct alk_task *task, struct alk_loop *loop);

#endif
