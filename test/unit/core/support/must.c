#include "support/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TESTS_MAX = 512, TEXT_MAX = 1024, MESSAGE_MAX = 36000 };

struct one { /* a row for one role */
    const struct must *row;
    enum alk_ssh_role role;
};

static const char *role_name(enum alk_ssh_role role)
{
    return role == ALK_SSH_SERVER ? "server" : "client";
}

/* ---- messages ---- */

static const char *open_type(const struct script *s, bool over_unix)
{
    if (s->role == ALK_SSH_SERVER)
        return over_unix ? "direct-streamlocal@openssh.com" : "direct-tcpip";
    return over_unix ? "forwarded-streamlocal@openssh.com" : "forwarded-tcpip";
}

static void put_zeros(struct alk_writer *w, unsigned long count)
{
    for (; count > 0; count--)
        alk_put_u8(w, 0);
}

static void put_field(const struct script *s, struct alk_writer *w, const char *field)
{
    const char *value = strlen(field) > 1 ? field + 2 : "";

    if (strcmp(field, "open") == 0 || strcmp(field, "unix") == 0) {
        alk_put_text(w, open_type(s, field[0] == 'u'));
    } else if (strncmp(field, "u:", 2) == 0) {
        alk_put_u32(w, (uint32_t)strtoul(value, NULL, 0));
    } else if (strncmp(field, "s:", 2) == 0) {
        alk_put_text(w, value);
    } else if (strncmp(field, "n:", 2) == 0) {
        alk_put_u32(w, (uint32_t)strtoul(value, NULL, 0));
        put_zeros(w, strtoul(value, NULL, 0));
    } else if (strncmp(field, "z:", 2) == 0) {
        put_zeros(w, strtoul(value, NULL, 0));
    } else if (field[0] >= '0' && field[0] <= '9') {
        alk_put_u8(w, (uint8_t)strtoul(field, NULL, 0));
    } else {
        fail_msg("the table has a field that nobody knows: %s", field);
    }
}

/* Writes one message of a text; whether it may go on with anything. */
static bool put_message(const struct script *s, struct alk_writer *w, const char *text)
{
    char fields[TEXT_MAX], *rest;

    assert_true(strlen(text) < sizeof(fields));
    strcpy(fields, text);
    for (char *f = strtok_r(fields, " ", &rest); f != NULL; f = strtok_r(NULL, " ", &rest)) {
        if (strcmp(f, "*") == 0)
            return true;
        put_field(s, w, f);
    }
    assert_false(w->broken);
    return false;
}

/* Cuts the next message off a text. */
static bool next_message(const char **text, char message[TEXT_MAX])
{
    *text += strspn(*text, "; ");
    size_t len = strcspn(*text, ";");

    if (len == 0)
        return false;
    assert_true(len < TEXT_MAX);
    memcpy(message, *text, len);
    message[len] = '\0';
    *text += len;
    return true;
}

static void login(struct script *s)
{
    uint8_t payload[1024];
    struct alk_writer w = alk_writer(payload, sizeof(payload));

    script_put_login(s, &w, "user", s->user_key);
    script_send_writer(s, &w);
}

static bool take_step(struct script *s, const char *name)
{
    static const struct {
        const char *name;
        void (*step)(struct script *s);
    } steps[] = {{"@kexinit", script_kexinit},
                 {"@ecdh", script_ecdh},
                 {"@newkeys", script_newkeys},
                 {"@login", login}};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(name, steps[i].name) == 0) {
            steps[i].step(s);
            return true;
        }
    }
    return false;
}

void must_say(struct script *s, const char *says)
{
    static uint8_t payload[MESSAGE_MAX];
    char message[TEXT_MAX];

    while (next_message(&says, message)) {
        struct alk_writer w = alk_writer(payload, sizeof(payload));

        while (message[strlen(message) - 1] == ' ')
            message[strlen(message) - 1] = '\0';
        if (take_step(s, message))
            continue;
        put_message(s, &w, message);
        script_send_writer(s, &w);
    }
}

void must_have_said(struct script *s, const char *answer)
{
    static uint8_t payload[MESSAGE_MAX];
    char message[TEXT_MAX];

    while (next_message(&answer, message)) {
        struct alk_writer w = alk_writer(payload, sizeof(payload));
        bool open_end = put_message(s, &w, message);
        size_t len = alk_writer_len(&w);

        if (!script_next(s))
            fail_msg("expected the answer %s, and none came", message);
        if (s->len < len || (s->len > len && !open_end) || memcmp(s->payload, payload, len) != 0)
            fail_msg("expected the answer %s, but message %u of %zu bytes came", message,
                     s->payload[0], s->len);
    }
    if (script_next(s))
        fail_msg("message %u came, which was not expected", s->payload[0]);
}

/* ---- one row ---- */

static void enter(struct script *s, const struct one *one)
{
    const struct must *row = one->row;

    script_start(s, one->role, NULL);
    s->strict = !row->loose;
    if (row->before != NULL)
        row->before(s);
    script_to(s, row->at < AT_OPEN ? row->at : AT_OPEN);
    if (row->channel)
        assert_int_equal(script_open_channel(s, 5, 1 << 20, 32768), 0);
    script_to(s, row->at);
    while (row->answer != NULL && script_next(s))
        ;
}

static void judge(struct script *s, const struct must *row)
{
    if (row->ends != 0) {
        if (s->status >= 0)
            fail_msg("the session should end, but goes on");
        assert_int_equal(script_reason(s), row->ends);
    } else if (row->dies != 0) {
        script_ended(s, row->dies, 0);
    } else {
        script_alive(s);
    }
    if (row->answer != NULL)
        must_have_said(s, row->answer);
}

static void run(void **state)
{
    const struct one *one = *state;
    const struct must *row = one->row;
    static struct script s;

    enter(&s, one);
    if (row->bytes != NULL)
        script_bytes(&s, row->bytes, row->bytes_len != 0 ? row->bytes_len : strlen(row->bytes));
    else if (row->says != NULL)
        must_say(&s, row->says);
    if (row->act != NULL)
        row->act(&s);
    judge(&s, row);
    script_free(&s);
}

/* ---- the page ---- */

/* What the engine has to do, for a reader. */
static void print_outcome(FILE *out, const struct must *row)
{
    if (row->ends != 0)
        fprintf(out, "disconnects, reason %u", row->ends);
    else if (row->dies != 0)
        fprintf(out, "closes without a word");
    else if (row->answer != NULL && row->answer[0] == '\0')
        fprintf(out, "says nothing and goes on");
    else if (row->answer != NULL)
        fprintf(out, "answers `%s`", row->answer);
    else
        fprintf(out, "goes on");
}

static void print_row(FILE *out, const struct must *row)
{
    static const char *const roles[] = {
        [OF_SERVER] = "server", [OF_CLIENT] = "client", [OF_BOTH] = "both"};

    if (row->does_not_apply != NULL || row->elsewhere != NULL)
        return;
    fprintf(out, "| %s | %s | %s | %s | ", row->section, row->demand, roles[row->of], row->peer);
    print_outcome(out, row);
    fprintf(out, " |\n");
}

static void list(FILE *out, const char *title, const struct must *rows, size_t count)
{
    fprintf(out,
            "## %s\n\n| section | what is demanded | of | the scripted peer | the engine |\n"
            "|---|---|---|---|---|\n",
            title);
    for (size_t i = 0; i < count; i++)
        print_row(out, &rows[i]);
    fprintf(out, "\nElsewhere, or nowhere:\n\n");
    for (size_t i = 0; i < count; i++) {
        const char *where = rows[i].elsewhere, *why = rows[i].does_not_apply;
        if (where != NULL)
            fprintf(out, "- %s, %s: tested in %s\n", rows[i].section, rows[i].demand, where);
        else if (why != NULL)
            fprintf(out, "- %s, %s: does not apply, %s\n", rows[i].section, rows[i].demand, why);
    }
    fprintf(out, "\n");
}

static char *read_text(const char *path)
{
    enum { TEXT_MOST = 256 * 1024 };
    char *text = calloc(1, TEXT_MOST);
    FILE *file = fopen(path, "r");

    if (file == NULL || text == NULL)
        fail_msg("%s cannot be read (tests run in the top folder)", path);
    assert_in_range(fread(text, 1, TEXT_MOST, file), 1, TEXT_MOST - 1);
    fclose(file);
    return text;
}

/* The page begins with its introduction, and the table as it is printed is part of it. */
static void page_is_current(void **state)
{
    const char *table = *state;
    char *page = read_text("docs/conformance.md");
    char *begin = read_text("test/unit/core/conformance/page.md");

    if (strncmp(page, begin, strlen(begin)) != 0 || strstr(page, table) == NULL)
        fail_msg("docs/conformance.md is not what the tables say: run make conformance-page");
    free(page);
    free(begin);
}

/* ---- the program ---- */

int must_main(int argc, char **argv, const char *title, const struct must *rows, size_t count)
{
    static struct CMUnitTest tests[TESTS_MAX];
    static struct one ones[TESTS_MAX];
    static char names[TESTS_MAX][TEXT_MAX];
    size_t n = 0;

    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        list(stdout, title, rows, count);
        return 0;
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    for (size_t i = 0; i < count; i++) {
        for (enum alk_ssh_role role = ALK_SSH_SERVER; role <= ALK_SSH_CLIENT; role++) {
            if ((rows[i].of & 1U << role) == 0)
                continue;
            if (n == TESTS_MAX - 1)
                abort();
            snprintf(names[n], TEXT_MAX, "%s %s, %s, %s: %s", title, rows[i].section,
                     rows[i].demand, role_name(role), rows[i].peer);
            ones[n] = (struct one){&rows[i], role};
            tests[n] = (struct CMUnitTest){names[n], run, NULL, NULL, &ones[n]};
            n++;
        }
    }
    char *table = NULL;
    size_t table_len;
    FILE *out = open_memstream(&table, &table_len);
    if (out == NULL)
        return 1;
    list(out, title, rows, count);
    fclose(out);
    tests[n++] =
        (struct CMUnitTest){"docs/conformance.md is current", page_is_current, NULL, NULL, table};
    int failed = _cmocka_run_group_tests(title, tests, n, NULL, NULL);
    free(table);
    return failed;
}
