#include "subject.h"

#include "run.h"

#include <stdlib.h>

/* Up to so many members are looked through instead of asking the object's hash table. */
enum { FEW = 8 };

static struct member *take(struct run *run, struct subject *subject)
{
    struct member *members = run->pool;
    if (subject->count <= run->pool_left) {
        run->pool += subject->count;
        run->pool_left -= subject->count;
        return members;
    }
    subject->on_heap = true;
    members = reallocarray(NULL, subject->count, sizeof *members);
    if (!members)
        give_up(run, ALK_SCHEMA_E_NOMEM);
    return members;
}

static uint32_t name_of(struct run *run, const char *key, size_t length)
{
    const struct alk_schema *schema = run->schema;
    uint64_t head = keytable_head(key, length);
    uint32_t count = schema->name_table.count, number = run->next_name;
    uint32_t end = count - number < NAME_TRIES ? count : number + NAME_TRIES;
    for (; number < end; number++)
        if (name_is(&schema->names[number], key, length, head))
            break;
    if (number == end)
        number = keytable_find_headed(&schema->name_table, key, length, head);
    if (number != NAME_UNKNOWN)
        run->next_name = number + 1;
    return number;
}

bool subject_read_now(struct run *run, struct subject *subject)
{
    struct member *member = subject->members = take(run, subject);
    if (!member)
        return false;
    json_t *object = (json_t *)(uintptr_t)subject->value; /* iterators want it writable */
    size_t bytes = 0;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        member->key = json_object_iter_key(at);
        member->length = json_object_iter_key_len(at);
        member->value = json_object_iter_value(at);
        member->name = name_of(run, member->key, member->length);
        if (member->name != NAME_UNKNOWN)
            subject->present |= name_bit(member->name);
        bytes += member->length;
        member++;
    }
    return charge(run, subject->count + bytes / CHARGED_BYTES);
}

void subject_drop_now(struct run *run, struct subject *subject)
{
    if (subject->on_heap) {
        free(subject->members);
        return;
    }
    run->pool = subject->members;
    run->pool_left += subject->count;
}

const json_t *subject_member(struct run *run, struct subject *subject, const struct name *name)
{
    if (!subject->members && subject->count > FEW)
        return json_object_getn(subject->value, name->text, name->length);
    if (!subject_read(run, subject) || !(subject->present & name_bit(name->number)))
        return NULL;
    if (subject->count > FEW)
        return json_object_getn(subject->value, name->text, name->length);
    const struct member *member = subject->members, *end = member + subject->count;
    for (; member < end; member++)
        if (member->name == name->number)
            return member->value;
    return NULL;
}
