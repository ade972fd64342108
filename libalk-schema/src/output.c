#include "output.h"

#include "error.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- locations ------------------------------------------------------------------------------ */

/* The steps from the root to a frame, in that order; the caller frees the array. */
static const struct step **path_to(const struct frame *frame, size_t *count)
{
    size_t n = 0;
    for (const struct step *s = frame->step; s; s = s->from->step)
        n++;
    const struct step **path = calloc(n + 1, sizeof *path);
    *count = n;
    for (const struct step *s = frame->step; s && path; s = s->from->step)
        path[--n] = s;
    return path;
}

/* The URI of the keyword: its pointer is percent-encoded where a fragment needs it. */
static char *absolute_location(const struct frame *frame, const char *keyword)
{
    struct text pointer = {0}, uri = {0};
    text_put(&pointer, frame->node->pointer);
    if (keyword)
        text_pointer_token(&pointer, keyword);
    char *plain = text_take(&pointer);
    text_printf(&uri, "%s#", frame->node->resource->uri);
    for (const char *at = plain; at && *at; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f ||
            strchr("\"#%<>[\\]^`{|}", *at))
            text_printf(&uri, "%%%02X", (unsigned char)*at);
        else
            text_append(&uri, at, 1);
    }
    char *whole = text_take(&uri);
    if (!plain) {
        free(whole);
        whole = NULL;
    }
    free(plain);
    return whole;
}

static bool locate(struct unit *unit)
{
    size_t count;
    const struct step **path = path_to(unit->frame, &count);
    struct text keyword = {0}, instance = {0};
    for (size_t i = 0; path && i < count; i++) {
        text_pointer_token(&keyword, path[i]->keyword);
        if (path[i]->name)
            text_pointer_token(&keyword, path[i]->name);
        else if (path[i]->index != NO_INDEX)
            text_printf(&keyword, "/%zu", path[i]->index);
        if (path[i]->key)
            text_pointer_token(&instance, path[i]->key);
        else if (path[i]->item != NO_INDEX)
            text_printf(&instance, "/%zu", path[i]->item);
    }
    free(path);
    if (unit->keyword)
        text_pointer_token(&keyword, unit->keyword);
    unit->keyword_location = text_take(&keyword);
    unit->instance_location = text_take(&instance);
    unit->absolute_location = absolute_location(unit->frame, unit->keyword);
    unit->frame = NULL;
    return path && unit->keyword_location && unit->instance_location && unit->absolute_location;
}

/* ---- units -------------------------------------------------------------------------------------- */

static void unit_clear(struct unit *unit)
{
    free(unit->keyword_location);
    free(unit->absolute_location);
    free(unit->instance_location);
    free(unit->sentence);
    json_decref(unit->annotation);
}

static bool says(const struct unit *unit)
{
    return unit->sentence || unit->annotation;
}

size_t unit_open(struct run *run, const struct frame *frame, const char *keyword)
{
    struct units *units = run->units;
    if (units->count == units->size) {
        size_t size = units->size ? units->size * 2 : 32;
        struct unit *grown = reallocarray(units->list, size, sizeof *grown);
        if (!grown) {
            give_up(run, ALK_SCHEMA_E_NOMEM);
            return NO_INDEX;
        }
        units->list = grown;
        units->size = size;
    }
    units->list[units->count] =
        (struct unit){.parent = units->open, .frame = frame, .keyword = keyword};
    units->open = units->count;
    return units->count++;
}

/* Drop the units from `first` on that say the opposite of the verdict. */
static void forget(struct units *units, size_t first, bool valid)
{
    bool keep = false;
    for (size_t i = first; i < units->count; i++) {
        struct unit *unit = &units->list[i];
        bool drop = says(unit) && (valid ? unit->sentence != NULL : unit->annotation != NULL);
        units->said -= drop;
        if (drop) {
            free(unit->sentence);
            unit->sentence = NULL;
            json_decref(unit->annotation);
            unit->annotation = NULL;
        }
        keep = keep || says(unit);
    }
    if (keep)
        return;
    while (units->count > first)
        unit_clear(&units->list[--units->count]);
}

void unit_close(struct run *run, size_t index, bool valid, char *sentence)
{
    struct units *units = run->units;
    if (index == NO_INDEX) {
        free(sentence);
        return;
    }
    forget(units, index + 1, valid);
    struct unit *unit = &units->list[index];
    units->open = unit->parent;
    unit->valid = valid;
    if (sentence && units->said < units->max_said) {
        unit->sentence = sentence;
        units->said++;
    } else {
        free(sentence);
    }
    if (!says(unit) && units->count == index + 1)
        unit_clear(&units->list[--units->count]);
    else if (!locate(unit))
        give_up(run, ALK_SCHEMA_E_NOMEM);
}

void units_free(struct units *units)
{
    for (size_t i = 0; i < units->count; i++)
        unit_clear(&units->list[i]);
    free(units->list);
}

/* ---- what rules call ---------------------------------------------------------------------------- */

bool violated(struct run *run, const struct frame *frame, const char *keyword, const char *format,
              ...)
{
    if (run->status)
        return false;
    char *sentence = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&sentence, format, args);
    va_end(args);
    if (length < 0)
        return give_up(run, ALK_SCHEMA_E_NOMEM);
    unit_close(run, unit_open(run, frame, keyword), false, sentence);
    return false;
}

void annotate(struct run *run, const struct frame *frame, const char *keyword, const json_t *value)
{
    struct units *units = run->units;
    if (!units->annotations || run->status || units->said >= units->max_said)
        return;
    size_t index = unit_open(run, frame, keyword);
    if (index == NO_INDEX)
        return;
    units->list[index].annotation = json_incref((json_t *)(uintptr_t)value);
    units->said++;
    unit_close(run, index, true, NULL);
}

size_t applicator_begin(struct run *run, const struct frame *frame, const char *keyword)
{
    return unit_open(run, frame, keyword);
}

bool applicator_end(struct run *run, size_t unit, bool valid, const char *sentence)
{
    unit_close(run, unit, valid, valid || !sentence ? NULL : strdup(sentence));
    return valid;
}

/* ---- writing --------------------------------------------------------------------------------------- */

static json_t *write_unit(const struct unit *unit)
{
    json_t *out = json_pack("{s:b,s:s,s:s,s:s}", "valid", unit->valid, "keywordLocation",
                            unit->keyword_location, "absoluteKeywordLocation",
                            unit->absolute_location, "instanceLocation", unit->instance_location);
    bool ok = out != NULL;
    if (ok && unit->sentence)
        ok = json_object_set_new(out, "error", json_string(unit->sentence)) == 0;
    if (ok && unit->annotation)
        ok = json_object_set(out, "annotation", unit->annotation) == 0;
    if (ok)
        return out;
    json_decref(out);
    return NULL;
}

static bool write_basic(const struct units *units, json_t *list)
{
    bool ok = true;
    for (size_t i = 0; i < units->count && ok; i++)
        if (says(&units->list[i]))
            ok = json_array_append_new(list, write_unit(&units->list[i])) == 0;
    return ok;
}

/* A unit with what is below it; it vanishes if it says nothing and adds no branching. */
static int write_branch(const struct unit *unit, json_t *children, const char *member,
                        json_t **result)
{
    *result = NULL;
    if (!says(unit) && !children)
        return 0;
    if (!says(unit) && json_array_size(children) == 1) {
        *result = json_incref(json_array_get(children, 0));
        return 0;
    }
    *result = write_unit(unit);
    return *result && (!children || json_object_set(*result, member, children) == 0) ? 0 : -1;
}

/* From the last unit to the first, so that children are made before their parents. */
static bool write_detailed(const struct units *units, json_t *list, const char *member)
{
    json_t **below = calloc(units->count + 1, sizeof(json_t *));
    bool ok = below != NULL;
    for (size_t i = units->count; ok && i-- > 0;) {
        const struct unit *unit = &units->list[i];
        json_t *result;
        ok = write_branch(unit, below[i], member, &result) == 0;
        if (!ok || !result) {
            json_decref(result);
            continue;
        }
        bool top = unit->parent == NO_INDEX;
        if (!top && !below[unit->parent])
            below[unit->parent] = json_array();
        ok = json_array_insert_new(top ? list : below[unit->parent], 0, result) == 0;
    }
    for (size_t i = 0; below && i < units->count; i++)
        json_decref(below[i]);
    free(below);
    return ok;
}

json_t *units_write(const struct units *units, bool valid, enum alk_schema_format format)
{
    json_t *out = json_pack("{s:b}", "valid", valid);
    if (!out || format == ALK_SCHEMA_FLAG)
        return out;
    const char *member = valid ? "annotations" : "errors";
    json_t *list = json_array();
    bool ok = list && (format == ALK_SCHEMA_BASIC ? write_basic(units, list)
                                                  : write_detailed(units, list, member));
    if (ok)
        ok = json_object_set(out, member, list) == 0;
    json_decref(list);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

void units_first_error(const struct units *units, struct alk_schema_error *error)
{
    for (size_t i = 0; i < units->count; i++) {
        const struct unit *unit = &units->list[i];
        if (!unit->sentence)
            continue;
        error_copy(error->instance, sizeof error->instance, unit->instance_location);
        error_copy(error->schema, sizeof error->schema, unit->absolute_location);
        error_copy(error->text, sizeof error->text, unit->sentence);
        return;
    }
}
