/* Landlock and seccomp, by their system calls: both are a few structs. */
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITISED 1 /* their reports start programs and trace the process */
#else
#define SANITISED 0
#endif

/* ---- files ---- */

/* Rights of the first Landlock, and those that came with its later versions; headers of older
 * systems lack their names. */
enum {
    FS_V1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,    /* version 2 */
    FS_TRUNCATE = 1 << 14, /* version 3 */
    FS_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    FS_SOCKETS = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

static uint64_t handled_rights(long version)
{
    return FS_V1 | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0);
}

/* A folder that is not there needs no rule. */
static void allow(int ruleset, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = rights,
        .parent_fd = open(path, O_PATH | O_CLOEXEC),
    };

    if (rule.parent_fd < 0)
        return;
    (void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

/* The folder, since files are often replaced by new ones of the same name; through links. */
static void allow_folder_of(int ruleset, const char *file)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');

    if (slash == NULL)
        snprintf(folder, sizeof(folder), ".");
    else
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file + 1), file);
    allow(ruleset, folder, FS_READ);
    if (realpath(file, folder) != NULL && (slash = strrchr(folder, '/')) != NULL) {
        folder[slash - folder + 1] = '\0';
        allow(ruleset, folder, FS_READ);
    }
}

/* Where the resolver's files and modules, and what they read, are. */
static void allow_lookups(int ruleset)
{
    static const char *const folders[] = {
        "/etc",
        "/usr/lib",
        "/usr/lib64",
        "/usr/share",
        "/lib",
        "/lib64",
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/run/NetworkManager",
        "/run/nscd",
        "/var/lib/misc",
        "/proc",
        "/dev/urandom",
        "/dev/null",
    };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        bool device = strncmp(folders[i], "/dev/", 5) == 0;
        allow(ruleset, folders[i], device ? LANDLOCK_ACCESS_FS_READ_FILE : FS_READ);
    }
}

static const char *confine_files(const char *const *files, size_t count)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = handled_rights(version)};

    if (version < 1)
        return "this kernel has no Landlock";
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                               sizeof(attributes.handled_access_fs), 0);
    if (ruleset < 0)
        return strerror(errno);
    allow_lookups(ruleset);
    for (size_t i = 0; i < count; i++) {
        if (files[i] != NULL)
            allow_folder_of(ruleset, files[i]);
    }
    /* clients may ask for listeners on Unix sockets, anywhere that the user may make them */
    allow(ruleset, "/", FS_SOCKETS);
    bool done = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return done ? NULL : strerror(errno);
}

/* ---- system calls ---- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
/* What a tunnel never needs, and an intruder likes. They fail as if not permitted; all others
 * work, so that no library is surprised. */
static const unsigned refused[] = {
#if !SANITISED
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
#endif
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_reboot,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_quotactl,
    SYS_open_by_handle_at,
    SYS_personality,
    SYS_kcmp,
};

enum { REFUSED = sizeof(refused) / sizeof(refused[0]) };

#define LOAD(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

static const char *confine_calls(void)
{
    enum { HEAD = 6, X32 = 0x40000000 };
    struct sock_filter filter[HEAD + REFUSED + 2] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS), /* another convention of calling is used by nobody */
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1),
        RETURN(SECCOMP_RET_KILL_PROCESS),
    };

    for (unsigned i = 0; i < REFUSED; i++) /* each jumps to the last instruction */
        filter[HEAD + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i],
                                                        (uint8_t)(REFUSED - i), 0);
    filter[HEAD + REFUSED] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    filter[HEAD + REFUSED + 1] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {.len = HEAD + REFUSED + 2, .filter = filter};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return strerror(errno);
    return NULL;
}
#else
static const char *confine_calls(void)
{
    return "not known for this kind of machine";
}
#endif

/* ---- both ---- */

static void tell(const struct alk_log *log, const char *what, const char *why)
{
    if (why != NULL)
        alk_log(log, ALK_LOG_WARN, "not confined", "what", what, "reason", why, NULL);
    else
        alk_log(log, ALK_LOG_DEBUG, "confined", "what", what, NULL);
}

void privilege_confine(const char *const *files, size_t count, const struct alk_log *log)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        tell(log, "files and system calls", strerror(errno));
        return;
    }
    tell(log, "files", confine_files(files, count));
    tell(log, "system calls", confine_calls());
}
