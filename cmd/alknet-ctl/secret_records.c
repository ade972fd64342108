/* The commands about encrypted records: encrypt, decrypt, rotate. */
#include "secret_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define ROTATE_MAX     ((size_t)1024 * 1024 * 1024) /* bytes of records in one run */
#define LINE_MAX_BYTES (ALK_SECRET_RECORD_MAX + 64) /* room for blanks behind a record */

static int run_encrypt(const struct secret_args *args)
{
    struct alk_secret_service *service = NULL;
    struct secret_bytes text = {0};
    char *record = NULL;
    int code, r = secret_read_input(args, ALK_SECRET_TEXT_MAX, &text);

    if (r != 0 || (r = secret_unlock(args, &service)) != 0)
        goto out;
    code = alk_secret_service_encrypt(service, CTL_TENANT, text.data, text.len, args->key_version,
                                      &record);
    if (code != 0)
        r = secret_failed(args, code, NULL);
    else
        puts(record);
out:
    free(record);
    secret_bytes_free(&text);
    alk_secret_service_free(service);
    return r;
}

const struct secret_command secret_encrypt = {
    "encrypt", "encrypt a text",
    "usage: alknet-ctl secret encrypt [--in FILE] [--key-version N]\n"
    "\n"
    "Encrypts standard input or a file, byte for byte, at most 1 MiB, and prints the\n"
    "EncryptedData record: one line of JSON.\n"
    "\n"
    "  printf hunter2 | alknet-ctl secret encrypt --mnemonic-file phrase.txt > record.json\n"
    "  alknet-ctl secret encrypt --in token.txt --key-version 2\n"
    "\n"
    "  --in FILE               what to encrypt\n"
    "  --key-version N         the version of the key, from 1 (default 1)\n",
    OPT_SECRETS | OPT_IN | OPT_VERSION, run_encrypt};

/* Lines are ended by people and tools; a record is not. */
static size_t trimmed(const char *data, size_t len)
{
    while (len > 0 && memchr(" \t\r\n", data[len - 1], 4) != NULL)
        len--;
    return len;
}

static bool is_utf8(const char *text, size_t len)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    utf8proc_int32_t point;

    while (len > 0) {
        utf8proc_ssize_t n = utf8proc_iterate(at, (utf8proc_ssize_t)len, &point);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static int show_text(const struct secret_args *args, const struct secret_bytes *text)
{
    struct secret_bytes out = {0};
    int r;

    if (!args->json)
        return secret_write_output(args, text);
    if (!is_utf8(text->data, text->len))
        return secret_complain(args, STATUS_FAILED,
                               "the text is not UTF-8 and does not fit JSON; leave --json out");
    if ((r = secret_bytes_init(args, &out, 6 * text->len + 32)) != 0)
        return r;
    secret_add(&out, "{\"text\":");
    secret_add_json(&out, text->data, text->len);
    secret_add(&out, "}\n");
    r = secret_write_output(args, &out);
    secret_bytes_free(&out);
    return r;
}

static int run_decrypt(const struct secret_args *args)
{
    struct alk_secret_service *service = NULL;
    struct secret_bytes record = {0}, text = {0};
    int code, r = secret_read_input(args, ALK_SECRET_RECORD_MAX, &record);

    if (r != 0 || (r = secret_unlock(args, &service)) != 0 ||
        (r = secret_bytes_init(args, &text, ALK_SECRET_TEXT_MAX)) != 0)
        goto out;
    code = alk_secret_service_decrypt(service, CTL_TENANT, record.data,
                                      trimmed(record.data, record.len), text.data, text.size,
                                      &text.len);
    r = code != 0 ? secret_failed(args, code, NULL) : show_text(args, &text);
out:
    secret_bytes_free(&record);
    secret_bytes_free(&text);
    alk_secret_service_free(service);
    return r;
}

const struct secret_command secret_decrypt = {
    "decrypt", "decrypt a record",
    "usage: alknet-ctl secret decrypt [--in FILE] [--json]\n"
    "\n"
    "Decrypts the EncryptedData record in a file or on standard input and writes its text, byte\n"
    "for byte.\n"
    "\n"
    "  alknet-ctl secret decrypt --in record.json\n"
    "  alknet-ctl secret decrypt --mnemonic-file phrase.txt < record.json\n"
    "\n"
    "  --in FILE               the record\n",
    OPT_SECRETS | OPT_IN, run_decrypt};

/* The next line, without its end, of at most `size` bytes: 1, 0 at the end of the input, or
 * STATUS_FAILED, negated, after saying what is wrong. */
static int next_line(const struct secret_args *args, FILE *input, unsigned number, char *line,
                     size_t size, size_t *len)
{
    int c;

    *len = 0;
    while ((c = getc_unlocked(input)) != EOF && c != '\n') {
        if (*len == size)
            return -secret_complain(args, STATUS_FAILED, "line %u: too long for a record", number);
        line[(*len)++] = (char)c;
    }
    if (ferror(input))
        return -secret_complain(args, STATUS_FAILED, "cannot read %s: %s",
                                args->in != NULL ? args->in : "standard input", strerror(errno));
    return c != EOF || *len > 0;
}

/* Rotates every line of the input into out, a memory stream: ciphertext, so no secret. */
static int rotate_lines(const struct secret_args *args, struct alk_secret_service *service,
                        FILE *input, FILE *out)
{
    char *line = malloc(LINE_MAX_BYTES), *record;
    size_t len, total = 0;
    int more, code = 0;
    unsigned number = 1;

    if (line == NULL)
        return secret_complain(args, STATUS_FAILED, "out of memory");
    while ((more = next_line(args, input, number, line, LINE_MAX_BYTES, &len)) > 0 &&
           total <= ROTATE_MAX) {
        len = trimmed(line, len);
        if (len > 0) {
            code = alk_secret_service_rotate(service, CTL_TENANT, line, len, args->to, &record);
            if (code != 0)
                break;
            total += strlen(record);
            fprintf(out, "%s\n", record);
            free(record);
        }
        number++;
    }
    free(line);
    if (code != 0)
        return secret_complain(args, code == ALK_SECRET_E_VERSION ? STATUS_USAGE : STATUS_FAILED,
                               "line %u: %s", number, alk_secret_strerror(code));
    if (total > ROTATE_MAX)
        return secret_complain(args, STATUS_FAILED,
                               "line %u: more than 1 GiB of records; rotate them in parts", number);
    return -more;
}

static int run_rotate(const struct secret_args *args)
{
    struct alk_secret_service *service = NULL;
    char *rotated = NULL;
    size_t size = 0;
    FILE *input = NULL, *out = NULL;
    int r;

    if (args->to == 0)
        return secret_complain(args, STATUS_USAGE, "name the new version with --to");
    if ((r = secret_open_input(args, &input)) != 0 || (r = secret_unlock(args, &service)) != 0)
        goto out;
    if ((out = open_memstream(&rotated, &size)) == NULL)
        r = secret_complain(args, STATUS_FAILED, "out of memory");
    else
        r = rotate_lines(args, service, input, out);
    if (out != NULL && fclose(out) != 0 && r == 0)
        r = secret_complain(args, STATUS_FAILED, "out of memory");
    if (r == 0)
        r = secret_write_output(args, &(struct secret_bytes){rotated, size, size});
out:
    if (input != NULL)
        fclose(input);
    free(rotated);
    alk_secret_service_free(service);
    return r;
}

const struct secret_command secret_rotate = {
    "rotate", "encrypt records anew under another key version",
    "usage: alknet-ctl secret rotate --to N [--in FILE]\n"
    "\n"
    "Reads records, one a line, and prints them under key version N, 1 GiB at most. All or\n"
    "nothing: if one does not open, none is printed and the line is named.\n"
    "\n"
    "  alknet-ctl secret rotate --to 2 --in records.jsonl > rotated.jsonl\n"
    "\n"
    "  --to N                  the new key version, from 1\n"
    "  --in FILE               the records\n",
    OPT_SECRETS | OPT_IN | OPT_TO, run_rotate};
