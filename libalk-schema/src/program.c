#include "program.h"

#include "discriminate.h"

#include <math.h>

/* In front of the ops from rules: OP_SCOPE and OP_MARKS. */
enum { PREFIX = 2 };

/* A row while it is made. */
struct making {
    struct compiler *c;
    const struct node *node;
    unsigned type; /* of jansson */
    struct row *row;
    struct op *ops, *end, *texts, *texts_end;
    unsigned lookers; /* ops that look at the members of an object; two are as good as many */
    bool fails;       /* whatever the value */
};

static struct op *add(struct making *m, unsigned code, const struct rule *rule)
{
    *m->end = (struct op){code, {rule}};
    return m->end++;
}

/* ---- rules that lead to other schemas --------------------------------------------------------- */

static void add_node(struct making *m, const struct node *node)
{
    unsigned type = 1u << m->type;
    m->fails = m->fails || node->refuses & type;
    if ((node->accepts | node->refuses) & type)
        return;
    add(m, OP_IN_PLACE, NULL)->of.node = node->leads_to;
    m->lookers++;
}

static void add_choice(struct making *m, const struct rule *rule)
{
    const struct choice *choice = rule->u.list.choice;
    uint64_t fitting = choice ? choice->fitting[m->type] : UINT64_MAX;
    if (fitting == 0)
        m->fails = true;
    else if ((fitting & (fitting - 1)) == 0) /* the only one */
        add_node(m, rule->u.list.nodes[__builtin_ctzll(fitting)]);
    else
        add(m, rule->check, rule);
    m->lookers += 2;
}

static void add_condition(struct making *m, const struct rule *rule)
{
    const struct node *test = rule->u.condition.test, *next = NULL;
    unsigned type = 1u << m->type;
    if (test->accepts & type)
        next = rule->u.condition.yes;
    else if (test->refuses & type)
        next = rule->u.condition.no;
    else
        add(m, CHECK_IF, rule);
    if (next)
        add_node(m, next);
    m->lookers += 2;
}

static void add_not(struct making *m, const struct rule *rule)
{
    const struct node *node = rule->u.node;
    unsigned type = 1u << m->type;
    m->fails = m->fails || node->accepts & type;
    if (!((node->accepts | node->refuses) & type))
        add(m, CHECK_NOT, rule);
    m->lookers++;
}

/* ---- ranges ------------------------------------------------------------------------------------- */

static void limit_integers(struct row *row, json_int_t limit, bool upper, bool exclusive)
{
    if (upper && limit - exclusive < row->range.integer.max)
        row->range.integer.max = limit - exclusive;
    if (!upper && limit + exclusive > row->range.integer.min)
        row->range.integer.min = limit + exclusive;
}

static void limit_reals(struct row *row, double limit, bool upper, bool exclusive)
{
    double *end = upper ? &row->range.real.max : &row->range.real.min;
    bool *open = upper ? &row->range.real.below : &row->range.real.above;
    bool tighter = upper ? limit < *end : limit > *end;
    bool looser = upper ? limit > *end : limit < *end;
    if (tighter) {
        *end = limit;
        *open = exclusive;
    } else if (!looser) {
        *open = *open || exclusive;
    }
}

/* Limits that a double holds exactly become one range. */
static void add_limit(struct making *m, const struct rule *rule)
{
    const json_int_t most = (json_int_t)1 << 53;
    json_int_t limit = json_integer_value(rule->u.limit.value);
    bool upper = rule->u.limit.upper, exclusive = rule->u.limit.exclusive;
    if (!json_is_integer(rule->u.limit.value) || limit <= -most || limit >= most)
        add(m, CHECK_LIMIT, rule);
    else if (m->type == JSON_INTEGER)
        limit_integers(m->row, limit, upper, exclusive);
    else
        limit_reals(m->row, (double)limit, upper, exclusive);
}

static void add_min(struct row *row, size_t count)
{
    if (count > row->range.size.min)
        row->range.size.min = count;
}

static void add_max(struct row *row, size_t count)
{
    if (count < row->range.size.max)
        row->range.size.max = count;
}

static void open_range(struct making *m)
{
    struct row *row = m->row;
    if (m->type == JSON_INTEGER) {
        row->range.integer.min = INT64_MIN;
        row->range.integer.max = INT64_MAX;
    } else if (m->type == JSON_REAL) {
        row->range.real.min = -INFINITY;
        row->range.real.max = INFINITY;
        row->range.real.integral = !(m->node->types & T_REAL);
    } else {
        row->range.size.max = SIZE_MAX;
    }
}

/* ---- rows ------------------------------------------------------------------------------------------ */

/* Of a string. */
static void add_text(struct making *m, const struct rule *rule)
{
    m->fails = m->fails || (rule->check == CHECK_CONST && !rule->u.constant.text);
    *m->texts_end++ = (struct op){rule->check, {rule}};
}

static void add_rule(struct making *m, const struct rule *rule)
{
    switch (rule->check) {
    case CHECK_LIMIT:
        add_limit(m, rule);
        break;
    case CHECK_MIN_LENGTH:
    case CHECK_MIN_SIZE:
        add_min(m->row, rule->u.count);
        break;
    case CHECK_MAX_LENGTH:
    case CHECK_MAX_SIZE:
        add_max(m->row, rule->u.count);
        break;
    case CHECK_REF:
        add_node(m, rule->u.node);
        break;
    case CHECK_ALL_OF:
        for (size_t i = 0; i < rule->u.list.count; i++)
            add_node(m, rule->u.list.nodes[i]);
        break;
    case CHECK_ANY_OF:
    case CHECK_ONE_OF:
        add_choice(m, rule);
        break;
    case CHECK_IF:
        add_condition(m, rule);
        break;
    case CHECK_NOT:
        add_not(m, rule);
        break;
    case CHECK_DEPENDENCIES:
        add(m, rule->check, rule);
        m->lookers += 2; /* more than once */
        break;
    default:
        if (m->type == JSON_STRING && rule->check <= CHECK_PATTERN) {
            add_text(m, rule);
            break;
        }
        add(m, rule->check, rule);
        m->lookers++;
    }
}

/* What a row has a place for need not be among its ops, if nothing comes before. */
static void draw_out(struct making *m)
{
    const struct op *first = m->ops;
    if (first == m->end || (first->code != CHECK_MEMBERS && first->code != CHECK_ITEMS))
        return;
    if (first->code == CHECK_MEMBERS)
        m->row->members = first->of.rule->u.members;
    else
        m->row->items = &first->of.rule->u.items;
    m->ops++;
}

static void add_prefix(struct making *m)
{
    const struct node *node = m->node;
    bool object = m->type == JSON_OBJECT;
    bool marks = node->marks_members && (object || m->type == JSON_ARRAY);
    m->row->shared = object && (m->lookers > 1 || marks);
    if (!marks && !node->resource->dynamic_anchors)
        draw_out(m);
    if (marks)
        *--m->ops = (struct op){.code = OP_MARKS};
    if (node->resource->dynamic_anchors)
        *--m->ops = (struct op){OP_SCOPE, {.resource = node->resource}};
}

/* Room for all ops, and the end of both lists. */
static size_t most_ops(const struct node *node)
{
    size_t most = PREFIX + 2;
    for (uint32_t i = 0; i < node->assertion_count; i++)
        most += node->rules[i].check == CHECK_ALL_OF ? node->rules[i].u.list.count : 1;
    return most;
}

static bool begin_row(struct making *m)
{
    struct arena *arena = &m->c->out->arena;
    m->row = arena_alloc(arena, sizeof *m->row);
    m->ops = arena_array(arena, most_ops(m->node), sizeof *m->ops);
    if (m->type == JSON_STRING)
        m->texts = arena_array(arena, m->node->assertion_count + 1, sizeof *m->texts);
    if (!m->row || !m->ops || (m->type == JSON_STRING && !m->texts)) {
        compiler_no_memory(m->c);
        return false;
    }
    m->end = m->ops += PREFIX;
    m->texts_end = m->texts;
    open_range(m);
    return true;
}

static void end_row(struct making *m)
{
    add_prefix(m);
    m->row->ops = m->ops < m->end ? m->ops : NULL;
    m->row->texts = m->texts < m->texts_end ? m->texts : NULL;
    m->end->code = OP_END;
    if (m->texts)
        m->texts_end->code = OP_END;
}

static void make_row(struct compiler *c, struct node *node, unsigned type)
{
    unsigned bit = 1u << type;
    struct making m = {.c = c, .node = node, .type = type};
    if (node->accepts & bit || node->refuses & bit || !begin_row(&m))
        return;
    for (uint32_t i = 0; i < node->assertion_count && !m.fails; i++)
        if (node->rules[i].applies & bit)
            add_rule(&m, &node->rules[i]);
    if (m.fails) {
        node->refuses |= (unsigned char)bit;
        return;
    }
    end_row(&m);
    if (type == JSON_OBJECT)
        m.row->merged = merge_make(c, node);
    node->rows[type] = m.row;
}

static void make_rows(struct compiler *c, struct node *node)
{
    if (node->leads_to != node)
        return;
    for (unsigned type = 0; type < TYPES && !c->status; type++) {
        if (type == JSON_FALSE)
            node->rows[type] = node->rows[JSON_TRUE];
        else
            make_row(c, node, type);
    }
    if (node->refuses & 1u << JSON_TRUE)
        node->refuses |= 1u << JSON_FALSE;
}

/* ---- what is known before -------------------------------------------------------------------------- */

static void make_choices(struct compiler *c, struct node *node)
{
    for (uint32_t i = 0; i < node->assertion_count && !c->status; i++) {
        struct rule *rule = &node->rules[i];
        size_t count = rule->u.list.count;
        if ((rule->check != CHECK_ANY_OF && rule->check != CHECK_ONE_OF) || count > CHOICES_MAX)
            continue;
        struct choice *choice = arena_alloc(&c->out->arena, sizeof *choice);
        if (!choice) {
            compiler_no_memory(c);
            return;
        }
        for (size_t j = 0; j < count; j++)
            for (unsigned type = 0; type < TYPES; type++)
                if (!(rule->u.list.nodes[j]->refuses >> type & 1))
                    choice->fitting[type] |= (uint64_t)1 << j;
        choice->discriminator = discriminator_make(c, rule->u.list.nodes, count);
        rule->u.list.choice = choice;
    }
}

static void adopt(struct compiler *c, struct node *node)
{
    (void)c;
    node->accepts = node->leads_to->accepts;
    node->refuses = node->leads_to->refuses;
}

/*
 * Schemas that are only a reference need no row of their own. A chain is followed for a bounded
 * number of links, as it may be a circle. With dynamic anchors the way that an evaluation took
 * matters, so then nothing is shortened.
 */
static void shorten_reference(struct node *node)
{
    const struct node *to = node;
    for (int links = 0; keyword_only_reference(to) && links < 32; links++)
        to = keyword_only_reference(to);
    if (keyword_only_reference(to))
        return;
    node->leads_to = to;
    adopt(NULL, node);
}

static void each_node(struct compiler *c, void (*work)(struct compiler *c, struct node *node))
{
    for (size_t i = 0; i < c->place_size && !c->status; i++)
        if (c->places[i] && c->places[i]->node)
            work(c, c->places[i]->node);
}

static void shorten(struct compiler *c, struct node *node)
{
    if (!c->out->dynamic)
        shorten_reference(node);
}

int program_make(struct compiler *c)
{
    for (size_t i = 0; i < c->resource_count; i++)
        c->out->dynamic = c->out->dynamic || c->resources[i]->dynamic_anchors;
    each_node(c, shorten);
    each_node(c, make_choices);
    each_node(c, make_rows);
    each_node(c, adopt); /* rows have told more */
    return c->status;
}
