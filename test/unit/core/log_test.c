/* The forms of a log record: JSON that a parser takes, and the journal's native protocol. */
#include "base/log_record.h"
#include "support/scratch.h"

#include <alk/log.h>
#include <alk/status.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* One record through a pipe, as a string. */
static void record(enum alk_log_format format, char *out, size_t size, const char *value)
{
    int ends[2];
    struct alk_log log = {.level = ALK_LOG_INFO, .format = format};

    assert_int_equal(pipe(ends), 0);
    log.fd = ends[1];
    alk_log(&log, ALK_LOG_WARN, "an event", "user", value, "gone", NULL, "last", "1", NULL);
    alk_log(&log, ALK_LOG_DEBUG, "too quiet", NULL);
    ssize_t n = read(ends[0], out, size - 1);
    assert_true(n > 0);
    out[n] = '\0';
    close(ends[0]);
    close(ends[1]);
}

static void test_logfmt(void **state)
{
    char line[8192];

    (void)state;
    record(ALK_LOG_LOGFMT, line, sizeof(line), "a\nb=\"c\"");
    assert_string_equal(line, "level=warn msg=\"an event\" user=\"a\\x0ab=\\\"c\\\"\" last=1\n");
}

static void test_json(void **state)
{
    char line[8192];

    (void)state;
    record(ALK_LOG_JSON, line, sizeof(line), "q\"\\\n\x7f\xc3\xa9\xf0\x9f\x98\x80");
    assert_string_equal(line, "{\"level\":\"warn\",\"msg\":\"an event\",\"user\":\"q\\\"\\\\\\u000a"
                              "\\u007f\\u00e9\\ud83d\\ude00\",\"last\":\"1\"}\n");
    /* no UTF-8: a lone continuation, an overlong form, a surrogate, an end within */
    record(ALK_LOG_JSON, line, sizeof(line), "\x80|\xc0\xaf|\xed\xa0\x80|\xe2\x82");
    assert_string_equal(
        line, "{\"level\":\"warn\",\"msg\":\"an event\",\"user\":\"\\ufffd|\\ufffd\\ufffd|"
              "\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\",\"last\":\"1\"}\n");
}

/* Whatever the length, the object is whole: it ends in a closed string and a brace. */
static void test_long_json_is_cut_whole(void **state)
{
    char line[8192], value[4200];

    (void)state;
    for (size_t len = 3900; len < sizeof(value) - 1; len++) {
        memset(value, 'x', len);
        memcpy(value + len - 5, "\"\xc3\xa9\"\"", 5);
        value[len] = '\0';
        record(ALK_LOG_JSON, line, sizeof(line), value);
        size_t total = strlen(line);
        assert_true(total <= sizeof(((struct alk_log_text *)0)->text));
        assert_string_equal(line + total - 3, "\"}\n");
        unsigned quotes = 0;
        for (size_t i = 0; i < total; i++) {
            if (line[i] == '\\')
                i++;
            else
                quotes += line[i] == '"';
        }
        assert_int_equal(quotes % 4, 0);
    }
}

/* The value of a field in a datagram of the journal's protocol, walking it as journald does. */
static const char *find_field(const uint8_t *data, size_t len, const char *name, size_t *value_len)
{
    const char *found = NULL;
    size_t at = 0;

    while (at < len) {
        size_t end = at;
        while (end < len && data[end] != '=' && data[end] != '\n')
            end++;
        assert_true(end < len);
        size_t name_len = end - at, value = end + 1, size = 0;
        if (data[end] == '=') {
            while (value + size < len && data[value + size] != '\n')
                size++;
        } else {
            for (int i = 0; i < 8; i++)
                size |= (size_t)data[value + (size_t)i] << (8 * i);
            value += 8;
        }
        assert_true(value + size < len && data[value + size] == '\n');
        if (name_len == strlen(name) && memcmp(data + at, name, name_len) == 0) {
            found = (const char *)data + value;
            *value_len = size;
        }
        at = value + size + 1;
    }
    return found;
}

static void assert_field(const uint8_t *data, size_t len, const char *name, const char *expected)
{
    size_t size = 0;
    const char *value = find_field(data, len, name, &size);

    assert_non_null(value);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(value, expected, size);
}

static void test_journal(void **state)
{
    struct scratch *scratch = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
    uint8_t data[8192];

    strcpy(address.sun_path, scratch_path(scratch, "journal"));
    assert_int_equal(alk_log_open_journal(address.sun_path), ALK_E_NOTFOUND);
    assert_int_equal(bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
    struct alk_log log = {.level = ALK_LOG_INFO, .format = ALK_LOG_JOURNAL};
    log.fd = alk_log_open_journal(address.sun_path);
    assert_true(log.fd >= 0);
    alk_log(&log, ALK_LOG_INFO, "auth attempt", "remote_addr", "192.0.2.1", "user",
            "x\nPRIORITY=0\n", NULL);
    ssize_t n = recv(journal, data, sizeof(data), 0);
    assert_true(n > 0);
    assert_field(data, (size_t)n, "MESSAGE",
                 "msg=\"auth attempt\" remote_addr=192.0.2.1 user=\"x\\x0aPRIORITY=0\\x0a\"");
    assert_field(data, (size_t)n, "PRIORITY", "6");
    assert_field(data, (size_t)n, "SYSLOG_IDENTIFIER", "log_test");
    assert_field(data, (size_t)n, "ALKNET_REMOTE_ADDR", "192.0.2.1");
    assert_field(data, (size_t)n, "ALKNET_USER", "x\nPRIORITY=0\n");
    close(log.fd);
    close(journal);
}

/* A file that may not grow beyond a size stands for a full disk. */
static void allow_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_is_told_of_and_cuts_no_further_line(void **state)
{
    struct scratch *scratch = *state;
    struct alk_log log = {.level = ALK_LOG_INFO, .format = ALK_LOG_LOGFMT};
    size_t len;

    log.fd = open(scratch_path(scratch, "log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(log.fd >= 0);
    signal(SIGXFSZ, SIG_IGN);
    allow_file_size(20 + 10); /* the first line, and a piece of the second */
    alk_log(&log, ALK_LOG_INFO, "first", NULL);
    alk_log(&log, ALK_LOG_INFO, "second", NULL);
    alk_log(&log, ALK_LOG_INFO, "third", NULL);
    allow_file_size(RLIM_INFINITY);
    alk_log(&log, ALK_LOG_INFO, "fourth", NULL);
    alk_log(&log, ALK_LOG_INFO, "fifth", NULL);
    close(log.fd);
    char *text = scratch_read(scratch, "log", &len);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, "level=info msg=first\nlevel=inf\n"
                              "level=info msg=fourth lines_dropped_before=2\n"
                              "level=info msg=fifth\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_long_json_is_cut_whole),
        cmocka_unit_test_setup_teardown(test_journal, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(test_a_full_disk_is_told_of_and_cuts_no_further_line,
                                        scratch_make, scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
