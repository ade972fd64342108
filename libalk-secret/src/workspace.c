/* One workspace is kept from call to call, wiped: guarded pages cost some ten system calls to
 * set up and take down, a few per cent of stretching a phrase. Threads that work at the same
 * time get workspaces of their own. */
#include "workspace.h"

#include <sodium.h>
#include <stdatomic.h>

static _Atomic(struct alk_workspace *) spare;

struct alk_workspace *alk_workspace_take(void)
{
    struct alk_workspace *w = atomic_exchange(&spare, NULL);

    return w != NULL ? w : sodium_malloc(sizeof *w);
}

void alk_workspace_give(struct alk_workspace *workspace)
{
    if (workspace == NULL)
        return;
    sodium_memzero(workspace, sizeof *workspace);
    sodium_free(atomic_exchange(&spare, workspace));
}
