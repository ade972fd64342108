/*
 * ECMA 262 pattern syntax (with the "u" flag) to PCRE2 syntax. Everything that
 * PCRE2 would read as an extension of its own is refused or escaped. More lenient
 * than ECMA 262 in one point, as browsers are without "u": punctuation may be
 * escaped needlessly, and lone "]", "{" and "}" stand for themselves.
 */
#include "regex.h"
#include "text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct translation {
    const char *at, *end;
    struct text out;
    const char *problem;
    unsigned depth;    /* open groups */
    bool quantifiable; /* the last thing written may be repeated */
};

/* the WhiteSpace and LineTerminator productions, and what lies between */
static const char spaces[] = "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}"
                             "\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
static const char not_spaces[] =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";

static bool refuse(struct translation *t, const char *problem)
{
    if (!t->problem)
        t->problem = problem;
    return false;
}

static bool put(struct translation *t, const char *text)
{
    text_put(&t->out, text);
    return true;
}

static bool put_code_point(struct translation *t, uint32_t code)
{
    if (code > 0x10ffff)
        return refuse(t, "a code point above U+10FFFF");
    if (code >= 0xd800 && code <= 0xdfff)
        return refuse(t, "a lone surrogate");
    text_printf(&t->out, "\\x{%x}", (unsigned)code);
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `count` hexadecimal digits. */
static bool read_hex(struct translation *t, int count, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, t->at++) {
        int digit = t->at < t->end ? hex_value(*t->at) : -1;
        if (digit < 0)
            return refuse(t, "an escape needs more hexadecimal digits");
        *value = *value << 4 | (uint32_t)digit;
    }
    return true;
}

/* after \u: XXXX, a pair of surrogates, or {X...} */
static bool read_unicode(struct translation *t, uint32_t *code)
{
    if (t->at < t->end && *t->at == '{') {
        *code = 0;
        const char *start = ++t->at;
        for (; t->at < t->end && hex_value(*t->at) >= 0 && *code <= 0x10ffff; t->at++)
            *code = *code << 4 | (uint32_t)hex_value(*t->at);
        if (t->at == start || t->at == t->end || *t->at++ != '}')
            return refuse(t, "\\u{...} is not closed");
        return true;
    }
    if (!read_hex(t, 4, code))
        return false;
    uint32_t low;
    if (*code >= 0xd800 && *code < 0xdc00 && t->end - t->at >= 6 && t->at[0] == '\\' &&
        t->at[1] == 'u') {
        t->at += 2;
        if (!read_hex(t, 4, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return refuse(t, "a lone surrogate");
        *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    }
    return true;
}

/* ---- \p{...} --------------------------------------------------------------------- */

static const struct {
    const char *name, *abbreviation;
} categories[] = {
    {"Cased_Letter", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"LC", "L&"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
    {"digit", "Nd"},
    {"punct", "P"},
    {"cntrl", "Cc"},
    {"Combining_Mark", "M"},
};

static const char *category(const char *name)
{
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (strcmp(name, categories[i].name) == 0)
            return categories[i].abbreviation;
    return name;
}

/* after \p or \P */
static bool property(struct translation *t, char kind)
{
    char name[64];
    size_t n = 0;
    if (t->at == t->end || *t->at++ != '{')
        return refuse(t, "\\p needs a property in braces");
    for (; t->at < t->end && *t->at != '}' && n < sizeof name - 1; t->at++) {
        char c = *t->at;
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '_' && c != '=')
            return refuse(t, "a property name has letters, digits and underscores");
        name[n++] = c;
    }
    name[n] = '\0';
    if (t->at == t->end || *t->at++ != '}' || n == 0)
        return refuse(t, "\\p{...} is not closed");

    char *value = strchr(name, '=');
    if (strcmp(name, "Assigned") == 0)
        return put(t, kind == 'p' ? "\\P{Cn}" : "\\p{Cn}");
    if (!value) {
        text_printf(&t->out, "\\%c{%s}", kind, category(name));
        return true;
    }
    *value++ = '\0';
    if (strcmp(name, "General_Category") == 0 || strcmp(name, "gc") == 0)
        text_printf(&t->out, "\\%c{%s}", kind, category(value));
    else if (strcmp(name, "Script") == 0 || strcmp(name, "sc") == 0)
        text_printf(&t->out, "\\%c{sc:%s}", kind, value);
    else if (strcmp(name, "Script_Extensions") == 0 || strcmp(name, "scx") == 0)
        text_printf(&t->out, "\\%c{scx:%s}", kind, value);
    else
        return refuse(t, "a property that ECMA 262 does not know");
    return true;
}

/* ---- escapes ----------------------------------------------------------------------- */

/* Character classes, written as the inside of a bracket expression; NULL for others. */
static const char *class_members(char letter)
{
    switch (letter) {
    case 'd':
        return "0-9";
    case 'D':
        return "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}";
    case 'w':
        return "A-Za-z0-9_";
    case 'W':
        return "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}";
    case 's':
        return spaces;
    case 'S':
        return not_spaces;
    default:
        return NULL;
    }
}

/* Escapes that stand for one character. `c` is the one after the backslash. */
static bool character_escape(struct translation *t, char c)
{
    static const char controls[] = "t\tn\nv\vf\fr\r";
    uint32_t code = (unsigned char)c;
    for (const char *known = controls; *known; known += 2)
        if (c == *known)
            return put_code_point(t, (unsigned char)known[1]);
    if (c == 'c') {
        char letter = t->at < t->end ? *t->at++ : '\0';
        if ((letter | 0x20) < 'a' || (letter | 0x20) > 'z')
            return refuse(t, "\\c needs a letter");
        return put_code_point(t, (unsigned char)letter & 31);
    }
    if (c == '0') {
        if (t->at < t->end && *t->at >= '0' && *t->at <= '9')
            return refuse(t, "octal escapes are not known");
        return put_code_point(t, 0);
    }
    if (c == 'x')
        return read_hex(t, 2, &code) && put_code_point(t, code);
    if (c == 'u')
        return read_unicode(t, &code) && put_code_point(t, code);
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || code >= 0x80;
    if (word)
        return refuse(t, "an escape that ECMA 262 does not know");
    return put_code_point(t, code);
}

/* In a group, since the JIT takes a repeated reference to a group that is not set for a mismatch. */
static bool back_reference(struct translation *t, char first)
{
    unsigned number = (unsigned)(first - '0');
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9' && number < 100000; t->at++)
        number = number * 10 + (unsigned)(*t->at - '0');
    text_printf(&t->out, "(?:\\g{%u})", number);
    return true;
}

static bool copy_group_name(struct translation *t)
{
    const char *close = memchr(t->at, '>', (size_t)(t->end - t->at));
    if (!close || close == t->at)
        return refuse(t, "a group name is not closed");
    text_append(&t->out, t->at, (size_t)(close - t->at) + 1);
    t->at = close + 1;
    return true;
}

static bool escape(struct translation *t)
{
    if (t->at == t->end)
        return refuse(t, "a backslash at the end");
    char c = *t->at++;
    t->quantifiable = c != 'b' && c != 'B';
    const char *members = class_members(c);
    if (members)
        return put(t, "[") && put(t, members) && put(t, "]");
    if (c == 'b' || c == 'B')
        return put(t, c == 'b' ? "\\b" : "\\B");
    if (c == 'p' || c == 'P')
        return property(t, c);
    if (c >= '1' && c <= '9')
        return back_reference(t, c);
    if (c == 'k') {
        if (t->at == t->end || *t->at++ != '<')
            return refuse(t, "\\k needs a group name");
        return put(t, "(?:\\k<") && copy_group_name(t) && put(t, ")");
    }
    return character_escape(t, c);
}

/* ---- bracket expressions -------------------------------------------------------------- */

static bool class_escape(struct translation *t)
{
    if (t->at == t->end)
        return refuse(t, "a backslash at the end");
    char c = *t->at++;
    const char *members = class_members(c);
    if (members)
        return put(t, members);
    if (c == 'p' || c == 'P')
        return property(t, c);
    if (c == 'b')
        return put_code_point(t, '\b');
    return character_escape(t, c);
}

/* One member; `*set` tells that it stands for several characters. */
static bool class_member(struct translation *t, bool *set)
{
    char c = *t->at++;
    *set = false;
    if (c == '\\') {
        *set = t->at < t->end && strchr("dDwWsSpP", *t->at) && *t->at;
        return class_escape(t);
    }
    if ((unsigned char)c >= 0x80)
        text_append(&t->out, &c, 1);
    else
        return put_code_point(t, (unsigned char)c);
    while (t->at < t->end && ((unsigned char)*t->at & 0xc0) == 0x80)
        text_append(&t->out, t->at++, 1);
    return true;
}

static bool bracket(struct translation *t)
{
    bool negated = t->at < t->end && *t->at == '^';
    t->at += negated;
    t->quantifiable = true;
    if (t->at < t->end && *t->at == ']') {
        t->at++;
        return put(t, negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)");
    }
    put(t, negated ? "[^" : "[");
    while (t->at < t->end && *t->at != ']') {
        bool first_set, last_set;
        if (!class_member(t, &first_set))
            return false;
        if (t->end - t->at < 2 || t->at[0] != '-' || t->at[1] == ']')
            continue;
        t->at++;
        put(t, "-");
        if (!class_member(t, &last_set))
            return false;
        if (first_set || last_set)
            return refuse(t, "a range cannot end in a class of characters");
    }
    if (t->at == t->end)
        return refuse(t, "a bracket expression is not closed");
    t->at++;
    return put(t, "]");
}

/* ---- groups and quantifiers ------------------------------------------------------------- */

static bool group_open(struct translation *t)
{
    static const char *const known[] = {"?:", "?=", "?!", "?<=", "?<!"};
    size_t left = (size_t)(t->end - t->at);
    t->depth++;
    t->quantifiable = false;
    put(t, "(");
    if (left == 0 || *t->at != '?')
        return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);
        if (left >= n && memcmp(t->at, known[i], n) == 0) {
            t->at += n;
            return put(t, known[i]);
        }
    }
    if (left < 2 || t->at[1] != '<')
        return refuse(t, "a group that ECMA 262 does not know");
    t->at += 2;
    return put(t, "?<") && copy_group_name(t);
}

/* The length of {n}, {n,} or {n,m} at the cursor, or 0. */
static size_t counted(const struct translation *t)
{
    const char *at = t->at + 1, *digits = at;
    while (at < t->end && *at >= '0' && *at <= '9')
        at++;
    if (at == digits)
        return 0;
    if (at < t->end && *at == ',')
        for (at++; at < t->end && *at >= '0' && *at <= '9';)
            at++;
    return at < t->end && *at == '}' ? (size_t)(at + 1 - t->at) : 0;
}

static bool quantifier(struct translation *t, size_t length)
{
    if (!t->quantifiable)
        return refuse(t, "nothing to repeat");
    text_append(&t->out, t->at, length);
    t->at += length;
    if (t->at < t->end && *t->at == '?') {
        t->at++;
        put(t, "?");
    }
    t->quantifiable = false;
    return true;
}

static bool term(struct translation *t)
{
    size_t length = *t->at == '{' ? counted(t) : 0;
    if (length || strchr("*+?", *t->at))
        return quantifier(t, length ? length : 1);

    char c = *t->at++;
    bool anchor = c == '^' || c == '$' || c == '|';
    switch (c) {
    case '\\':
        return escape(t);
    case '[':
        return bracket(t);
    case '(':
        return group_open(t);
    case ')':
        if (t->depth-- == 0)
            return refuse(t, "a group is closed that was not opened");
        break;
    case '.':
        t->quantifiable = true;
        return put(t, "[^\\n\\r\\x{2028}\\x{2029}]");
    case ']':
    case '{':
    case '}':
        text_append(&t->out, "\\", 1);
        break;
    default:
        break;
    }
    text_append(&t->out, &c, 1);
    t->quantifiable = !anchor;
    return true;
}

char *regex_translate(const char *pattern, size_t length, const char **problem)
{
    struct translation t = {.at = pattern, .end = pattern + length};
    *problem = "";
    if (memchr(pattern, '\0', length))
        refuse(&t, "a NUL character");
    while (!t.problem && t.at < t.end)
        term(&t);
    if (!t.problem && t.depth)
        refuse(&t, "a group is not closed");
    if (t.problem)
        *problem = t.problem;
    char *out = text_take(&t.out);
    if (t.problem) {
        free(out);
        return NULL;
    }
    return out;
}
