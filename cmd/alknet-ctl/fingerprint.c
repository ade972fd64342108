/* alknet-ctl fingerprint: what ssh-keygen -l prints, for every kind of key file. */
#include "ctl.h"
#include "program.h"
#include "public_key.h"

#include <alk/key.h>

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

static const char help[] =
    "Usage: alknet-ctl fingerprint [--json] FILE\n"
    "Print bits, fingerprint, comment and type of each key in FILE: a private key, a public\n"
    "key, authorized_keys or known_hosts; - is standard input. The comment of a private key\n"
    "is that of FILE.pub.\n"
    "\n"
    "      --json                  print a JSON array of objects\n"
    "      --help                  print this text\n"
    "\n"
    "Examples:\n"
    "  alknet-ctl fingerprint /etc/alknet/host_key\n"
    "  alknet-ctl fingerprint ~/.config/alknet/known_hosts\n"
    "  ssh-keyscan -t ed25519 tunnel.example.org | alknet-ctl fingerprint -\n";

static const char private_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char private_end[] = "-----END OPENSSH PRIVATE KEY-----";

struct listing {
    const char *file; /* as named; "-" is standard input */
    json_t *array;    /* NULL: print lines */
    unsigned count;
};

/* ---- output ---- */

/* Comments are anybody's bytes: what a terminal might obey is written as \ooo. */
static void print_safely(const char *text)
{
    size_t left = strlen(text);
    mbstate_t state = {0};

    while (left > 0) {
        wchar_t wide;
        size_t n = mbrtowc(&wide, text, left, &state);
        if (n == (size_t)-1 || n == (size_t)-2 || !iswprint((wint_t)wide)) {
            printf("\\%03o", (unsigned char)*text);
            n = 1;
            state = (mbstate_t){0};
        } else {
            fwrite(text, 1, n, stdout);
        }
        text += n;
        left -= n;
    }
}

static void show(struct listing *list, const struct public_key *key)
{
    char fingerprint[ALK_FINGERPRINT_SIZE];

    alk_key_fingerprint(key->blob, key->blob_len, fingerprint);
    list->count++;
    if (list->array == NULL) {
        printf("%u %s ", key->bits, fingerprint);
        print_safely(key->comment[0] != '\0' ? key->comment : "no comment");
        printf(" (%s)\n", key->type);
        return;
    }
    json_t *comment = json_string(key->comment);
    /* a comment that is not UTF-8 has no form in JSON */
    json_array_append_new(list->array,
                          json_pack("{s:i, s:s, s:o, s:s}", "bits", (int)key->bits, "fingerprint",
                                    fingerprint, "comment", comment != NULL ? comment : json_null(),
                                    "type", key->type));
}

/* ---- input ---- */

/* The comment of FILE.pub, if that is the same key. */
static void show_private(struct listing *list, struct public_key *key)
{
    struct public_key beside;
    char *path = NULL, *line = NULL;
    size_t size = 0;

    if (strcmp(list->file, "-") != 0 && asprintf(&path, "%s.pub", list->file) > 0) {
        FILE *file = fopen(path, "re");
        if (file != NULL) {
            if (getline(&line, &size, file) > 0 && public_key_from_line(&beside, line) &&
                beside.blob_len == key->blob_len &&
                memcmp(beside.blob, key->blob, key->blob_len) == 0)
                key->comment = beside.comment;
            fclose(file);
        }
        free(path);
    }
    show(list, key);
    free(line);
}

/* The rest of a private key file, of which the BEGIN line has been read. */
static int read_private(struct listing *list, FILE *in)
{
    char *text = sodium_malloc(ALK_KEY_FILE_MAX + 1);
    struct public_key key;
    int code = EXIT_SUCCESS;

    if (text == NULL)
        return program_fail(EXIT_RUN, "out of memory for %s", list->file);
    size_t len = fread(text, 1, ALK_KEY_FILE_MAX, in);
    text[len] = '\0';
    const char *end = strstr(text, private_end);
    if (end == NULL || !public_key_from_private(&key, text, (size_t)(end - text)))
        code = program_fail(EXIT_RUN,
                            "%s is a damaged private key, or one of a type that has no "
                            "fingerprint here",
                            list->file);
    else
        show_private(list, &key);
    sodium_free(text);
    return code;
}

enum line { LINE, LINE_END_OF_FILE, LINE_TOO_LONG };

/* The next line, ended by a NUL: of /dev/zero and its like there is no whole one to wait for. */
static enum line read_line(char *line, size_t size, FILE *in)
{
    size_t len = 0;
    int c = EOF;

    while (len < size - 1 && (c = getc(in)) != EOF && c != '\n')
        line[len++] = (char)c;
    line[len] = '\0';
    if (len == size - 1)
        return LINE_TOO_LONG;
    return c == EOF && len == 0 ? LINE_END_OF_FILE : LINE;
}

static int read_lines(struct listing *list, FILE *in)
{
    static char line[1 << 20];
    struct public_key key;
    int code = EXIT_SUCCESS;

    for (unsigned number = 1;; number++) {
        enum line read = read_line(line, sizeof(line), in);
        if (read == LINE_TOO_LONG)
            code = program_fail(EXIT_RUN, "line %u of %s is too long to hold a key", number,
                                list->file);
        if (read != LINE)
            break;
        if (number == 1 && strncmp(line, private_begin, strlen(private_begin)) == 0) {
            code = read_private(list, in);
            break;
        }
        if (number == 1 && strstr(line, "PRIVATE KEY") != NULL) {
            code = program_fail(EXIT_RUN,
                                "%s is a private key in another format than OpenSSH's; convert it "
                                "with: ssh-keygen -p -f FILE",
                                list->file);
            break;
        }
        if (public_key_from_line(&key, line))
            show(list, &key);
    }
    if (code == EXIT_SUCCESS && ferror(in))
        code = program_fail(EXIT_RUN, "cannot read %s: %s", list->file, strerror(errno));
    else if (code == EXIT_SUCCESS && list->count == 0)
        code = program_fail(EXIT_RUN, "%s holds no key", list->file);
    return code;
}

static int list_file(struct listing *list)
{
    static char buffer[64 * 1024]; /* our own, to wipe what a private key leaves in it */
    FILE *in = strcmp(list->file, "-") == 0 ? stdin : fopen(list->file, "re");

    if (in == NULL)
        return program_fail(EXIT_RUN, "cannot read %s: %s", list->file, strerror(errno));
    setvbuf(in, buffer, _IOFBF, sizeof(buffer));
    int code = read_lines(list, in);
    fclose(in);
    sodium_memzero(buffer, sizeof(buffer));
    return code;
}

int ctl_fingerprint(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct listing list = {.count = 0};
    int code;

    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (code == 'h') {
            fputs(help, stdout);
            return EXIT_SUCCESS;
        }
        if (code != 'j') {
            fprintf(stderr, "Try 'alknet-ctl fingerprint --help'.\n");
            return EXIT_USAGE;
        }
        if (list.array == NULL)
            list.array = json_array();
    }
    if (argc - optind != 1) {
        json_decref(list.array);
        return program_usage("fingerprint: name one file, or - for standard input");
    }
    list.file = argv[optind];
    setlocale(LC_CTYPE, "");
    code = list_file(&list);
    if (list.array != NULL && code == EXIT_SUCCESS) {
        json_dumpf(list.array, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(list.array);
    return code;
}
