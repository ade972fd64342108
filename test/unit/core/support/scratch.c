#include "support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int scratch_make(void **state)
{
    struct scratch *scratch = calloc(1, sizeof(*scratch));

    if (scratch == NULL)
        return -1;
    strcpy(scratch->dir, "/tmp/alk-test-XXXXXX");
    if (mkdtemp(scratch->dir) == NULL) {
        free(scratch);
        return -1;
    }
    *state = scratch;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

int scratch_remove(void **state)
{
    struct scratch *scratch = *state;
    int rc = nftw(scratch->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

    free(scratch);
    return rc;
}

const char *scratch_path(struct scratch *scratch, const char *name)
{
    char *path = scratch->path[scratch->next++ % 4];

    if (strlen(scratch->dir) + 1 + strlen(name) >= sizeof(scratch->path[0]))
        fail_msg("the file name is too long: %s", name);
    strcpy(stpcpy(stpcpy(path, scratch->dir), "/"), name);
    return path;
}

void scratch_write(struct scratch *scratch, const char *name, const void *data, size_t len,
                   mode_t mode)
{
    const char *path = scratch_path(scratch, name);
    FILE *file = fopen(path, "w");

    if (file == NULL || fwrite(data, 1, len, file) != len || fclose(file) != 0 ||
        chmod(path, mode) != 0)
        fail_msg("cannot write %s: %s", path, strerror(errno));
}

void scratch_text(struct scratch *scratch, const char *name, const char *text)
{
    scratch_write(scratch, name, text, strlen(text), 0600);
}

char *scratch_read(struct scratch *scratch, const char *name, size_t *len)
{
    enum { SIZE = 1 << 20 };
    const char *path = scratch_path(scratch, name);
    FILE *file = fopen(path, "r");
    char *text = malloc(SIZE);

    if (file == NULL || text == NULL) {
        fail_msg("cannot read %s: %s", path, strerror(errno));
        abort();
    }
    size_t n = fread(text, 1, SIZE - 1, file);
    text[n] = '\0';
    if (len != NULL)
        *len = n;
    fclose(file);
    return text;
}

/* In the child: never returns. */
static void run_child(const char *dir, int out, const char *const argv[])
{
    int null = open("/dev/null", O_RDWR);

    if (chdir(dir) != 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
    setenv("HOME", dir, 1);
    unsetenv("DISPLAY");
    /* execvp does not change the strings, its prototype is older than const */
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

int scratch_try(struct scratch *scratch, char *output, size_t size, const char *const argv[])
{
    char drop[512];
    size_t len = 0;
    int pipe_fds[2];
    int status = 0;
    ssize_t n;
    pid_t pid;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        fail_msg("pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0)
        run_child(scratch->dir, pipe_fds[1], argv);
    close(pipe_fds[1]);
    for (;;) {
        bool full = output == NULL || len + 1 >= size;
        n = full ? read(pipe_fds[0], drop, sizeof(drop))
                 : read(pipe_fds[0], output + len, size - 1 - len);
        if (n <= 0)
            break;
        len += full ? 0 : (size_t)n;
    }
    close(pipe_fds[0]);
    if (output != NULL)
        output[len] = '\0';
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        fail_msg("%s did not run to its end", argv[0]);
    return WEXITSTATUS(status);
}

void scratch_run(struct scratch *scratch, char *output, size_t size, const char *const argv[])
{
    int status = scratch_try(scratch, output, size, argv);

    if (status != 0)
        fail_msg("%s %s: expected exit status 0, got %d", argv[0], argv[1], status);
}
