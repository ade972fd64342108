#include "regex_plain.h"

#include <string.h>

bool plain_match(const struct plain *plain, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    if (!plain->from_start) {
        if (length < plain->length)
            return false;
        at = end - plain->length;
    }
    for (unsigned i = 0; i < plain->count; i++) {
        unsigned bit = 1u << i;
        size_t left = (size_t)(end - at), max = plain->items[i].max;
        const unsigned char *start = at, *limit = at + (left < max ? left : max);
        while (at < limit && plain->items_of[*at] & bit)
            at++;
        if ((size_t)(at - start) < plain->items[i].min)
            return false;
    }
    return !plain->to_end || at == end;
}

/* ---- reading: each function answers false for what is not plain ---------------------------- */

struct reader {
    const char *at, *end;
    struct plain *plain;
};

static bool ahead(const struct reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static void add_range(struct reader *r, unsigned low, unsigned high)
{
    for (unsigned c = low; c <= high; c++)
        r->plain->items_of[c] |= (uint16_t)(1u << r->plain->count);
}

/* After a backslash: a class, or punctuation that stands for itself. */
static bool read_escape(struct reader *r, bool *class, unsigned char *character)
{
    if (r->at == r->end)
        return false;
    unsigned char c = (unsigned char)*r->at++;
    *class = c == 'd' || c == 'w';
    *character = c;
    if (*class)
        add_range(r, '0', '9');
    if (c == 'w') {
        add_range(r, 'a', 'z');
        add_range(r, 'A', 'Z');
        add_range(r, '_', '_');
    }
    return *class || (c != '\0' && c < 128 && strchr("^$\\.*+?()[]{}|/-", c));
}

/* A character, or an escape; of a class nothing remains to be done. */
static bool read_character(struct reader *r, bool *class, unsigned char *character)
{
    *class = false;
    *character = (unsigned char)*r->at++;
    return *character == '\\' ? read_escape(r, class, character) : *character < 128;
}

/* One character or one range between brackets. */
static bool read_member(struct reader *r)
{
    bool class, second_class;
    unsigned char low, high;
    if (!read_character(r, &class, &low))
        return false;
    if (class)
        return true;
    high = low;
    if (ahead(r, '-') && r->end - r->at > 1 && r->at[1] != ']') {
        r->at++;
        if (!read_character(r, &second_class, &high) || second_class)
            return false;
    }
    add_range(r, low, high);
    return true;
}

static bool read_brackets(struct reader *r)
{
    if (ahead(r, '^'))
        return false;
    while (r->at < r->end && *r->at != ']')
        if (!read_member(r))
            return false;
    bool closed = r->at < r->end;
    r->at += closed;
    return closed;
}

static bool read_atom(struct reader *r)
{
    bool class;
    unsigned char character;
    if (ahead(r, '[')) {
        r->at++;
        return read_brackets(r);
    }
    if (*r->at == '\0' || strchr("^$.*+?()]{}|", *r->at) || !read_character(r, &class, &character))
        return false;
    if (!class)
        add_range(r, character, character);
    return true;
}

static bool read_number(struct reader *r, uint32_t *number)
{
    const char *start = r->at;
    *number = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - start < 6; r->at++)
        *number = *number * 10 + (uint32_t)(*r->at - '0');
    return r->at > start;
}

static bool read_counts(struct reader *r, struct plain_item *item)
{
    if (!read_number(r, &item->min))
        return false;
    item->max = item->min;
    if (ahead(r, ',')) {
        r->at++;
        if (ahead(r, '}'))
            item->max = UINT32_MAX;
        else if (!read_number(r, &item->max))
            return false;
    }
    bool closed = ahead(r, '}');
    r->at += closed;
    return closed;
}

static bool read_quantifier(struct reader *r, struct plain_item *item)
{
    *item = (struct plain_item){1, 1};
    char c = r->at < r->end ? *r->at : '\0';
    if (!c || !strchr("*+?{", c))
        return true;
    r->at++;
    if (c == '{' && !read_counts(r, item))
        return false;
    if (c == '*' || c == '?')
        item->min = 0;
    if (c == '*' || c == '+')
        item->max = UINT32_MAX;
    return !ahead(r, '?'); /* as few as possible is left to PCRE2 */
}

static bool in_both(const struct plain *plain, unsigned one, unsigned other)
{
    unsigned both = 1u << one | 1u << other;
    for (unsigned c = 0; c < 128; c++)
        if ((plain->items_of[c] & both) == both)
            return true;
    return false;
}

/* Whether a repetition ends where its class does: what may come next has no character of it. */
static bool ends_clearly(const struct plain *plain, unsigned item)
{
    if (plain->items[item].min == plain->items[item].max)
        return true;
    for (unsigned next = item + 1; next < plain->count; next++) {
        if (in_both(plain, item, next))
            return false;
        if (plain->items[next].min > 0)
            return true;
    }
    return true;
}

static bool is_fixed(const struct plain *plain)
{
    for (unsigned i = 0; i < plain->count; i++)
        if (plain->items[i].min != plain->items[i].max)
            return false;
    return true;
}

bool plain_read(struct plain *plain, const char *pattern, size_t length)
{
    struct reader r = {pattern, pattern + length, plain};
    memset(plain, 0, sizeof *plain);
    plain->from_start = ahead(&r, '^');
    r.at += plain->from_start;
    while (r.at < r.end) {
        plain->to_end = ahead(&r, '$') && r.end - r.at == 1;
        if (plain->to_end)
            break;
        if (plain->count == PLAIN_ITEMS || !read_atom(&r) ||
            !read_quantifier(&r, &plain->items[plain->count]))
            return false;
        plain->length += plain->items[plain->count].min;
        plain->count++;
    }
    if (!plain->from_start && !(plain->to_end && is_fixed(plain)))
        return false;
    for (unsigned i = 0; i < plain->count; i++)
        if (!ends_clearly(plain, i))
            return false;
    return true;
}
