/* One workspace is kept from call to call, wiped: guarded pages cost some ten system calls to
 * set up and take down, a few per cent of stretching a phrase. Threads that work at the same
 * time get workspaces of their own. */
#include "workspace.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic(struct alk_workspace *) spare;

struct alk_workspace *alk_workspace_take(size_t longest)
{
    struct alk_workspace *w = atomic_exchange(&spare, NULL);

    if (w == NULL && (w = sodium_malloc(sizeof *w)) == NULL)
        return NULL;
    w->room = ALK_NFKD_ROOM(longest);
    return w;
}

void alk_workspace_give(struct alk_workspace *w)
{
    if (w == NULL)
        return;
    sodium_memzero(w, offsetof(struct alk_workspace, text) + w->room * sizeof w->text[0]);
    sodium_free(atomic_exchange(&spare, w));
}
