/* Names of operations, each kept once for as long as there is a call of it. */
#include "calls.h"

#include <stdlib.h>

static int operations_reserve(struct alk_callgraph *calls)
{
    if (calls->operation_free != NO_OPERATION || calls->operation_bound < calls->operation_size)
        return 0;
    uint32_t size = calls->operation_size ? calls->operation_size * 2 : 16;
    struct operation *grown = reallocarray(calls->operations, size, sizeof *grown);
    if (!grown)
        return ALK_GRAPH_E_NOMEM;
    calls->operations = grown;
    calls->operation_size = size;
    return 0;
}

int operation_hold(struct alk_callgraph *calls, const char *name, uint32_t *number)
{
    const json_t *known = json_object_get(calls->operation_index, name);
    if (known) {
        *number = (uint32_t)json_integer_value(known);
        calls->operations[*number].users++;
        return 0;
    }
    if (operations_reserve(calls))
        return ALK_GRAPH_E_NOMEM;
    bool again = calls->operation_free != NO_OPERATION;
    uint32_t taken = again ? calls->operation_free : calls->operation_bound;
    if (json_object_set_new(calls->operation_index, name, json_integer(taken)))
        return ALK_GRAPH_E_NOMEM;
    if (again)
        calls->operation_free = calls->operations[taken].users;
    else
        calls->operation_bound++;
    /* the index keeps its key where it is as long as the entry exists */
    void *at = json_object_iter_at(calls->operation_index, name);
    calls->operations[taken] = (struct operation){json_object_iter_key(at), 1};
    *number = taken;
    return 0;
}

void operation_release(struct alk_callgraph *calls, uint32_t number)
{
    if (number == NO_OPERATION || --calls->operations[number].users)
        return;
    json_object_del(calls->operation_index, calls->operations[number].name);
    calls->operations[number] = (struct operation){NULL, calls->operation_free};
    calls->operation_free = number;
}
