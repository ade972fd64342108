#include "core.h"

#include "test.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

/* ---- by hand ---- */

static pid_t start_and_stop(void (*live)(void *), void *arg)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        live(arg);
        raise(SIGSTOP);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
        fail_msg("the process did not stop as a traced one: status %x", (unsigned)status);
    return child;
}

/* What the kernel puts into the notes of a core file; not every machine has each. */
static void write_registers(pid_t child, FILE *to)
{
    static const int sets[] = {NT_PRSTATUS, NT_FPREGSET, NT_X86_XSTATE};
    static uint8_t bytes[16 * PAGE];
    unsigned written = 0;

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct iovec set = {bytes, sizeof bytes};
        if (ptrace(PTRACE_GETREGSET, child, sets[i], &set) == 0)
            written += fwrite(bytes, set.iov_len, 1, to) == 1;
    }
    assert_true(written >= 2);
}

static void write_mapping(int memory, unsigned long from, unsigned long to, FILE *out)
{
    uint8_t page[PAGE];

    for (; from < to; from += PAGE) { /* pages that cannot be read (vvar) are in no core file */
        if (pread(memory, page, PAGE, (off_t)from) == PAGE)
            assert_int_equal(fwrite(page, PAGE, 1, out), 1);
    }
}

static void write_mappings(pid_t child, FILE *out)
{
    unsigned long from = 0, to = 0;
    char path[64], line[512];
    FILE *maps;
    int memory;

    snprintf(path, sizeof path, "/proc/%d/smaps", (int)child);
    maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long a, b;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &a, &b, mode) == 3)
            from = a, to = b;
        else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") == NULL)
            write_mapping(memory, from, to, out);
    }
    fclose(maps);
    close(memory);
}

void core_by_hand(const char *path, void (*live)(void *), void *arg)
{
    FILE *out = fopen(path, "w");
    pid_t child;

    assert_non_null(out);
    child = start_and_stop(live, arg);
    write_registers(child, out);
    write_mappings(child, out);
    assert_int_equal(fclose(out), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* ---- by the kernel ---- */

bool core_files_are_plain(void)
{
    char pattern[64] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");
    struct rlimit limit;

    if (file != NULL) {
        if (fgets(pattern, sizeof pattern, file) == NULL)
            pattern[0] = '\0';
        fclose(file);
    }
    return strncmp(pattern, "core", 4) == 0 && getrlimit(RLIMIT_CORE, &limit) == 0 &&
           limit.rlim_max == RLIM_INFINITY;
}

static void live_and_die(const char *directory, void (*live)(void *), void *arg)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    if (chdir(directory) != 0 || setrlimit(RLIMIT_CORE, &limit) != 0)
        _exit(1);
    live(arg);
    signal(SIGABRT, SIG_DFL); /* cmocka's handler would go on */
    raise(SIGABRT);
    _exit(1);
}

/* The one file in a directory, or "". */
static void find_core(const char *directory, char *path, size_t size)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;

    path[0] = '\0';
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "core", 4) == 0)
            snprintf(path, size, "%s/%.250s", directory, entry->d_name);
    }
    closedir(dir);
}

void core_by_kernel(const char *path, void (*live)(void *), void *arg)
{
    char directory[] = "/tmp/alk-secret-core-XXXXXX", core[300];
    pid_t child;
    int status;

    assert_non_null(mkdtemp(directory));
    child = fork();
    if (child == 0)
        live_and_die(directory, live, arg);
    assert_int_equal(waitpid(child, &status, 0), child);
    find_core(directory, core, sizeof core);
    if (!WIFSIGNALED(status) || !WCOREDUMP(status) || rename(core, path) != 0)
        fail_msg("no core file in %s: status %x", directory, (unsigned)status);
    rmdir(directory);
}
